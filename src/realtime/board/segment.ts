import { Builder, ByteBuffer, type Offset } from "flatbuffers";
import { assert } from "../../domain/assert.ts";

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
