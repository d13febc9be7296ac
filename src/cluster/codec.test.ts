import { expect, test } from "bun:test";
import { type Random, seededRandom } from "../domain/random.ts";
import { decodeBody, encodeBody, MalformedBody } from "./codec.ts";

const roundTrip = (value: unknown): unknown => decodeBody(encodeBody(value));

function randomText(random: Random): string {
  return Array.from({ length: random.int(5) }, () =>
    random.chance(0.3) ? random.pick(["$", "value", "__proto__", '"', "\u0000", "\ud800", "🏏"]) : "key",
  ).join("");
}

function randomValue(random: Random, depth: number): unknown {
  const many = <T>(make: () => T): T[] => Array.from({ length: random.int(4) }, make);
  const kind = random.int(depth > 0 ? 11 : 8);
  const numbers = many(() => Math.floor(random.next() * 2 ** 33) - 2 ** 32);
  if (kind === 0) return null;
  if (kind === 1) return random.chance(0.5);
  if (kind === 2) return random.pick([1, -1]) * random.next() * 10 ** random.int(300);
  if (kind === 3) return randomText(random);
  if (kind === 4) return Uint8Array.from(numbers);
  if (kind === 5) return Int16Array.from(numbers);
  if (kind === 6) return Uint32Array.from(numbers);
  if (kind === 7) return Float64Array.from([...numbers, Number.NaN, -0, Number.POSITIVE_INFINITY]);
  const inner = () => randomValue(random, depth - 1);
  if (kind === 8) return many(inner);
  const entries = many(() => [`${randomText(random)}.`, inner()] as const);
  return kind === 9 ? Object.fromEntries(entries) : new Map(entries);
}

test("what is sent comes back as it was", () => {
  const random = seededRandom(41);
  for (let round = 0; round < 3_000; round++) {
    const value = randomValue(random, 4);
    expect(roundTrip(value)).toStrictEqual(value);
  }
});

test("arrays that are parts of another are sent alone, and come with memory of their own", () => {
  const whole = Float64Array.from([1, 2, 3, 4]);
  const part = roundTrip({ part: whole.subarray(1, 3) }) as { part: Float64Array };
  expect(part.part).toEqual(Float64Array.from([2, 3]));
  expect(part.part.buffer.byteLength).toBe(16);
  expect(roundTrip(Buffer.from("abc"))).toEqual(new Uint8Array([97, 98, 99]));
});

test("nothing is null, a property that is undefined is none, and __proto__ is a name like any other", () => {
  expect(roundTrip(undefined)).toBeNull();
  expect(roundTrip({ a: undefined, b: 1 })).toStrictEqual({ b: 1 });
  const named = roundTrip(JSON.parse('{"__proto__": {"admin": true}}')) as object;
  expect(Object.keys(named)).toEqual(["__proto__"]);
  expect(Object.getPrototypeOf(named)).toBe(Object.prototype);
});

test.each<[string, unknown]>([
  ["a number that JSON lacks", { x: Number.NaN }],
  ["a bigint", [1n]],
  ["a function", { f: () => 1 }],
  ["an element that is undefined", [1, undefined]],
  ["a typed array of another kind", new Int32Array(1)],
  ["a date", { at: new Date(0) }],
  ["a set", new Set([1])],
  ["an object that would be taken for another", { $: "Map" }],
])("%s is not sent", (_, value) => {
  expect(() => encodeBody(value)).toThrow(TypeError);
});

test.each([
  "",
  "{",
  '{"$":"Int32Array","value":""}',
  '{"$":"toString","value":""}',
  '{"$":7,"value":""}',
  '{"$":"Map"}',
  '{"$":"Map","value":{}}',
  '{"$":"Map","value":[[1]]}',
  '{"$":"Map","value":[[1,2],[1,3]]}',
  '{"$":"Map","value":[],"more":1}',
  '{"$":"Uint8Array","value":"!!!!"}',
  '{"$":"Uint8Array","value":"QQ"}',
  '{"$":"Uint8Array","value":[1]}',
  '{"$":"Float64Array","value":"AAAA"}',
  "[1e999]",
])("%p is refused", (text) => {
  expect(() => decodeBody(text)).toThrow(MalformedBody);
});

test("a body that is too deep for the stack is refused", () => {
  expect(() => decodeBody("[".repeat(1_000_000))).toThrow(MalformedBody);
});

test("whatever is done to a body, it is a value or refused", () => {
  const random = seededRandom(42);
  for (let round = 0; round < 3_000; round++) {
    const text = encodeBody(randomValue(random, 3));
    const at = random.int(text.length + 1);
    const damaged = text.slice(0, at) + random.pick(['"', "}", "[", "$", "A", ""]) + text.slice(at + random.int(3));
    try {
      encodeBody(decodeBody(damaged));
    } catch (error) {
      expect(error).toBeInstanceOf(MalformedBody);
    }
  }
});
