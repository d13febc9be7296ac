import { expect, test } from "bun:test";
import { userId, type UserId } from "../domain/ids.ts";
import { StoreUnavailable } from "../stores/unavailable.ts";
import { knownNames } from "./known-names.ts";

test("a name is asked for once, and only those that nobody told of are missing while the catalog is away", async () => {
  const asked: (readonly UserId[])[] = [];
  let failure: Error | null = null;
  const namesOf = knownNames(async (users) => {
    asked.push(users);
    if (failure !== null) throw failure;
    return new Map(users.map((user) => [user, `name ${user}`]));
  }, 10);
  const [one, two] = [userId(1), userId(2)];
  expect(await namesOf([one])).toEqual(new Map([[one, "name 1"]]));
  failure = new StoreUnavailable("Catalog", "away");
  expect(await namesOf([one, two])).toEqual(new Map([[one, "name 1"]]));
  failure = null;
  expect((await namesOf([one, two])).size).toBe(2);
  expect(asked).toEqual([[one], [two], [two]]);
  failure = new TypeError("a bug");
  await expect(namesOf([userId(3)])).rejects.toBe(failure);
});
