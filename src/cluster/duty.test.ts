import { expect, test } from "bun:test";
import { openSimulatedEventLog } from "../testing/simulated-event-log.ts";
import { openSimulatedGroup } from "../testing/simulated-group.ts";
import { type Duty, onDuty } from "./duty.ts";
import { Slices } from "./slices.ts";

const ALL: readonly Duty[] = ["outbox", "joinRecovery", "withdrawals", "lifecycle", "reconciliation"];

/** Which duties are done where these slices are, each tried once. */
async function doneBy(slices: Slices): Promise<Duty[]> {
  const done: Duty[] = [];
  for (const duty of ALL) await onDuty(slices, duty, async () => done.push(duty))();
  return done;
}

test("a node that is alone does everything", async () => {
  expect(await doneBy(Slices.single())).toEqual([...ALL]);
});

test("in a cluster each duty is one node's, spread as the slices are, and moves with them", async () => {
  const group = openSimulatedGroup(openSimulatedEventLog());
  const onTrouble = () => undefined;
  const join = (name: string) => Slices.join({ log: group.member(name), group: "g", onTrouble });
  const [a, b] = [await join("a"), await join("b")];
  expect(await doneBy(a)).toEqual([]);
  group.give({ a: [0, 2, 4, 6], b: [1, 3, 5, 7] });
  const shares = [await doneBy(a), await doneBy(b)];
  expect(shares.flat().toSorted()).toEqual(ALL.toSorted());
  expect(shares.every((share) => share.length >= 2)).toBe(true);
  group.give({ a: [], b: [0, 1, 2, 3, 4, 5, 6, 7] });
  expect(await doneBy(b)).toEqual([...ALL]);
});

test("what the work throws is the caller's", async () => {
  const work = async () => {
    throw new Error("the ledger is away");
  };
  await expect(onDuty(Slices.single(), "outbox", work)()).rejects.toThrow("the ledger is away");
});
