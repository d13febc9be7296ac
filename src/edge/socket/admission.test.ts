import { expect, test } from "bun:test";
import { userId } from "../../domain/ids.ts";
import { Admission } from "./admission.ts";

const limits = { perAddressMax: 2, perUserMax: 1, socketsMax: 3 };

test("an address has so many sockets, and as many again when they have left", () => {
  const admission = new Admission(limits);
  expect([1, 2, 3].map(() => admission.enter("10.0.0.1"))).toEqual([true, true, false]);
  expect(admission.enter("10.0.0.2")).toBe(true);
  admission.leave("10.0.0.1");
  expect([1, 2].map(() => admission.enter("10.0.0.1"))).toEqual([true, false]);
});

test("a node has so many sockets, whatever their addresses, and a refused one is not counted", () => {
  const admission = new Admission(limits);
  expect([1, 2, 3, 4, 5].map((n) => admission.enter(`10.0.0.${n}`))).toEqual([true, true, true, false, false]);
  expect(admission.count).toBe(3);
  admission.leave("10.0.0.1");
  expect(admission.enter("10.0.0.4")).toBe(true);
});

test("a user has so many sockets, wherever they come from", () => {
  const admission = new Admission(limits);
  expect([admission.signIn(userId(1)), admission.signIn(userId(1)), admission.signIn(userId(2))]).toEqual([
    true,
    false,
    true,
  ]);
  admission.signOut(userId(1));
  expect(admission.signIn(userId(1))).toBe(true);
});
