import { closeSync, existsSync, fsyncSync, openSync } from "node:fs";
import { Builder, ByteBuffer, type Offset } from "flatbuffers";
import { assert } from "../../domain/assert.ts";
import { writeFully } from "./shared-memory.ts";

/** FlatBuffers' own limit: offsets are 31 bits. */
export const SEGMENT_BYTES_MAX = 2 ** 31 - 1;
/** Bulk starts on a cache line, and so does every column in it. */
export const BULK_ALIGNMENT = 64;

export const alignUp = (bytes: number): number => Math.ceil(bytes / BULK_ALIGNMENT) * BULK_ALIGNMENT;

/**
 * The first bytes of a FlatBuffer whose last vector, `bulkBytes` long, follows them in the file. The library would copy the
 * bulk through the heap; built this way gigabytes go straight into place, and the file is a valid FlatBuffer all the same.
 * `build` receives the offset of that vector and returns the root.
 */
export function segmentHead(bulkBytes: number, build: (builder: Builder, bulk: Offset) => Offset): Uint8Array {
  const builder = new Builder(4096);
  // A checksum of 0 must take its place too, to be written later.
  builder.forceDefaults(true);
  // Created first, so it lies last: an empty vector that ends the buffer and gets its true length below.
  builder.startVector(1, 0, BULK_ALIGNMENT);
  const bulk = builder.endVector();
  builder.finish(build(builder, bulk));
  const head = builder.asUint8Array().slice();
  assert(head.length % BULK_ALIGNMENT === 0, "the bulk starts on a cache line");
  assert(head.length + bulkBytes <= SEGMENT_BYTES_MAX, `a segment of ${head.length + bulkBytes} bytes is too large`);
  new DataView(head.buffer).setUint32(head.length - 4, bulkBytes, true);
  return head;
}

export const byteBuffer = (bytes: Uint8Array): ByteBuffer => new ByteBuffer(bytes);

/** XXH3, 64 bits, chained: the hash of what came before is the seed of what follows. 24 GB/s here. */
export const checksumOf = (bytes: Uint8Array, before: bigint): bigint => Bun.hash.xxHash3(bytes, before);

/** Puts a checksum into its place in a head. */
export type PutChecksum = (head: ByteBuffer, checksum: bigint) => void;

export const bytesOf = (ids: Float64Array): Uint8Array => new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength);

/** Of the head as it is without its checksum, then of all parts of the bulk in their order. */
export function sealedChecksum(head: Uint8Array, parts: Iterable<Uint8Array>, put: PutChecksum): bigint {
  const bare = head.slice();
  put(byteBuffer(bare), 0n);
  let checksum = checksumOf(bare, 0n);
  for (const part of parts) checksum = checksumOf(part, checksum);
  return checksum;
}

export interface SegmentPart {
  readonly bytes: Uint8Array;
  /** Offset within the bulk. */
  readonly at: number;
}

/** Writes a whole segment whose parts are in memory, durably. */
export function writeSegment(path: string, head: Uint8Array, parts: readonly SegmentPart[], put: PutChecksum): void {
  const checksum = sealedChecksum(
    head,
    parts.map(({ bytes }) => bytes),
    put,
  );
  put(byteBuffer(head), checksum);
  const file = openSync(path, "w");
  try {
    writeFully(file, head, 0);
    for (const { bytes, at } of parts) writeFully(file, bytes, head.length + at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

export type Refusal = { readonly ok: false; readonly reason: string };
export type MappedSegment = { readonly ok: true; readonly bytes: Uint8Array } | Refusal;

/** Maps a file privately: shared memory as long as it is only read, and no stray write can ever reach the file. */
export function mapSegment(path: string): MappedSegment {
  if (!existsSync(path)) return { ok: false, reason: `${path} is not there` };
  const bytes = Bun.mmap(path, { shared: false });
  return bytes.length < 64 ? { ok: false, reason: `${path} is cut short` } : { ok: true, bytes };
}

/** The head of a mapped segment, given the vector that ends it. */
export const headOf = (bytes: Uint8Array, bulk: Uint8Array): Uint8Array =>
  bytes.subarray(0, bulk.byteOffset - bytes.byteOffset);
