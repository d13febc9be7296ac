import type { Packer, Unpacker } from "./packing.ts";

/** Bins by name. */
export type RecordBins = Readonly<Record<string, number | string>>;

interface RecordKey {
  readonly set: string;
  readonly key: string;
}

/** One place of a batch. Each takes effect, or not, for itself; a batch is no transaction. */
export type RecordOperation =
  | (RecordKey & { readonly kind: "read" })
  /** Whatever is there or not. Other bins stay. */
  | (RecordKey & { readonly kind: "write"; readonly bins: RecordBins })
  /** Only where there is none. */
  | (RecordKey & { readonly kind: "create"; readonly bins: RecordBins })
  /** Only where there is one, and its bin has this value. Other bins stay. */
  | (RecordKey & { readonly kind: "swap"; readonly bins: RecordBins; readonly bin: string; readonly is: number })
  | (RecordKey & { readonly kind: "remove" });

/**
 * What came of it. "refused": the condition did not hold, nothing was done. "busy": the server had too much to do with this
 * record (a hot key) or with its device; nothing was done. "unknown": it may or may not have been done.
 */
export type RecordOutcome =
  | { readonly kind: "done"; readonly bins: RecordBins | null }
  | { readonly kind: "refused" }
  | { readonly kind: "busy" }
  | { readonly kind: "unknown"; readonly status: number };

/** As native/aerospike/batch.c numbers them. */
const KIND_NUMBERS = { read: 0, write: 1, create: 2, swap: 3, remove: 4 } as const;

const STATUS = {
  ok: 0,
  notFound: 2,
  exists: 5,
  busy: 14,
  deviceOverload: 18,
  filteredOut: 27,
} as const;

export function packOperation(into: Packer, operation: RecordOperation): void {
  into.u8(KIND_NUMBERS[operation.kind]);
  into.text(operation.set);
  into.text(operation.key);
  if (operation.kind === "read") return;
  into.bytes(operation.kind === "swap" ? whereInteger(operation.bin, operation.is) : NO_CONDITION);
  if (operation.kind === "remove") return;
  const bins = Object.entries(operation.bins);
  into.u8(bins.length);
  for (const [name, value] of bins) {
    into.text(name);
    if (typeof value === "number") {
      into.u8(1);
      into.i64(value);
    } else {
      into.u8(2);
      into.text(value);
    }
  }
}

export function unpackOutcome(from: Unpacker, { kind }: RecordOperation): RecordOutcome {
  const status = from.i32();
  if (kind === "read") {
    if (status === STATUS.ok) return { kind: "done", bins: unpackBins(from) };
    if (status === STATUS.notFound) return DONE;
  }
  switch (status) {
    case STATUS.ok:
      return DONE;
    case STATUS.notFound:
      return kind === "remove" ? DONE : REFUSED;
    case STATUS.exists:
    case STATUS.filteredOut:
      return REFUSED;
    case STATUS.busy:
    case STATUS.deviceOverload:
      return BUSY;
    default:
      return { kind: "unknown", status };
  }
}

export function unpackBins(from: Unpacker): RecordBins {
  const bins: Record<string, number | string> = {};
  const count = from.u8();
  for (let index = 0; index < count; index++) {
    const name = from.text(from.u8());
    const kind = from.u8();
    if (kind === 1) bins[name] = from.i64();
    else if (kind === 2) bins[name] = from.text();
  }
  return bins;
}

const DONE: RecordOutcome = { kind: "done", bins: null };
const REFUSED: RecordOutcome = { kind: "refused" };
const BUSY: RecordOutcome = { kind: "busy" };
const NO_CONDITION = new Uint8Array(0);

/**
 * Filter expressions, in MessagePack as the wire protocol has them: `[1, a, b]` is a = b, `[81, type, name]` a bin. Bins have
 * names of one letter.
 */
const EQUALS = 1;
const BIN = 81;
const TYPE_INTEGER = 2;
const TYPE_TEXT = 3;
const bin = (name: string, type: number): number[] => [0x93, BIN, type, 0xa1, name.charCodeAt(0)];

function whereInteger(name: string, value: number): Uint8Array {
  const condition = new Uint8Array(2 + 5 + 9);
  condition.set([0x93, EQUALS, ...bin(name, TYPE_INTEGER), 0xd3]);
  const view = new DataView(condition.buffer);
  view.setInt32(8, Math.floor(value / 2 ** 32));
  view.setUint32(12, value >>> 0);
  return condition;
}

/** Texts within expressions have a byte before them that says so. */
export function whereText(name: string, value: string): Uint8Array {
  const text = new TextEncoder().encode(value);
  return Uint8Array.of(0x93, EQUALS, ...bin(name, TYPE_TEXT), 0xd9, text.length + 1, TYPE_TEXT, ...text);
}
