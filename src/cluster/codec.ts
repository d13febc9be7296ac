/**
 * What nodes say to each other: JSON, in which a typed array or a map is an object with the key `$`. Columns and histograms
 * travel as base64 of their bytes, little-endian as all machines are that we run on.
 *
 * Values: null, booleans, finite numbers, strings, arrays, plain objects without a key `$`, maps, and the typed arrays below.
 * A property that is undefined is left out; undefined alone comes back as null, and -0 as 0.
 */
const TYPED_ARRAYS = { Uint8Array, Int16Array, Uint32Array, Float64Array } as const;

type TypedArrayName = keyof typeof TYPED_ARRAYS;
type TypedArray = InstanceType<(typeof TYPED_ARRAYS)[TypedArrayName]>;

/** A body that is no value of the codec. */
export class MalformedBody extends Error {
  override name = "MalformedBody";
}

/** Throws a TypeError for a value that would not come back as it is: that is a bug of the caller. */
export function encodeBody(value: unknown): string {
  return JSON.stringify(value === undefined ? null : value, function (this: unknown, key: string) {
    // From its holder, for what comes as an argument has been through `toJSON`.
    const original = (this as Readonly<Record<string, unknown>>)[key];
    const name = key === "" ? "the value" : key;
    switch (typeof original) {
      case "object":
        return original === null ? null : encodedObject(original, name);
      case "number":
        if (!Number.isFinite(original)) throw new TypeError(`${name} is ${original}`);
        return original;
      case "undefined":
        if (Array.isArray(this)) throw new TypeError(`${name} of an array is undefined`);
        return original;
      case "boolean":
      case "string":
        return original;
      default:
        throw new TypeError(`${name} is a ${typeof original}`);
    }
  });
}

/** Throws `MalformedBody`. */
export function decodeBody(text: string): unknown {
  try {
    // The reviver begins with the innermost, and defines what it answers, also as a property that is named __proto__.
    return JSON.parse(text, (_, value: unknown) => {
      if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) {
        throw new MalformedBody("a number is too large");
      }
      return isTagged(value) ? untagged(value) : value;
    });
  } catch (error) {
    if (error instanceof MalformedBody) throw error;
    throw new MalformedBody(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

interface Tagged {
  readonly $: unknown;
  readonly value: unknown;
}

function encodedObject(value: object, name: string): object {
  if (Array.isArray(value)) return value;
  if (value instanceof Map) return { $: "Map", value: [...value] } satisfies Tagged;
  for (const [type, constructor] of Object.entries(TYPED_ARRAYS)) {
    if (value instanceof constructor) return { $: type, value: base64Of(value) } satisfies Tagged;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError(`${name} is a ${value.constructor.name}`);
  }
  if (Object.hasOwn(value, "$")) throw new TypeError(`${name} has a key $`);
  return value;
}

const base64Of = ({ buffer, byteOffset, byteLength }: ArrayBufferView): string =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength).toString("base64");

const isTagged = (value: unknown): value is Tagged =>
  typeof value === "object" && value !== null && !Array.isArray(value) && Object.hasOwn(value, "$");

function untagged({ $: tag, value, ...rest }: Tagged): unknown {
  if (Object.keys(rest).length > 0) throw new MalformedBody(`a ${String(tag)} has more than a value`);
  if (tag === "Map") return mapOf(value);
  if (typeof tag === "string" && Object.hasOwn(TYPED_ARRAYS, tag)) return typedArrayOf(tag as TypedArrayName, value);
  throw new MalformedBody(`${JSON.stringify(tag)} is no type`);
}

function mapOf(value: unknown): Map<unknown, unknown> {
  if (!Array.isArray(value)) throw new MalformedBody("a map has no entries");
  for (const entry of value as unknown[]) {
    if (!Array.isArray(entry) || entry.length !== 2) throw new MalformedBody("an entry of a map is no pair");
  }
  const map = new Map(value as [unknown, unknown][]);
  if (map.size !== value.length) throw new MalformedBody("a map has a key twice");
  return map;
}

function typedArrayOf(name: TypedArrayName, value: unknown): TypedArray {
  if (typeof value !== "string") throw new MalformedBody(`a ${name} has no bytes`);
  const type = TYPED_ARRAYS[name];
  const decoded = Buffer.from(value, "base64");
  // Buffer skips what is no base64.
  if (decoded.toString("base64") !== value) throw new MalformedBody(`the bytes of a ${name} are no base64`);
  if (decoded.length % type.BYTES_PER_ELEMENT !== 0) throw new MalformedBody(`a ${name} ends within an element`);
  // Into memory of its own, which is aligned.
  return new type(new Uint8Array(decoded).buffer);
}
