import { assert } from "../../domain/assert.ts";
import type { BoardEntries } from "../../stores/hot-store/boards.ts";

/** What is copied of a whole contest: how many entries have which score, and the best of them. */
export interface BoardCopy {
  /** compact-standing.ts */
  readonly compact: Uint8Array;
  readonly entries: BoardEntries;
}

const HEAD_BYTES = 8;
const ENTRY_BYTES = 10;

/** Two u32, the number of entries and 0; ids as f64, scores as i16, the compact standing. Little-endian, as the machine. */
export function encodeBoardCopy({ compact, entries: { entryIds, scoresQp } }: BoardCopy): Uint8Array {
  const count = entryIds.length;
  const bytes = new Uint8Array(HEAD_BYTES + count * ENTRY_BYTES + compact.length);
  new Uint32Array(bytes.buffer, 0, 1)[0] = count;
  new Float64Array(bytes.buffer, HEAD_BYTES, count).set(entryIds);
  new Int16Array(bytes.buffer, HEAD_BYTES + count * 8, count).set(scoresQp);
  bytes.set(compact, HEAD_BYTES + count * ENTRY_BYTES);
  return bytes;
}

export function decodeBoardCopy(stored: Uint8Array): BoardCopy {
  // A copy: stored bytes lie at any alignment.
  const bytes = new Uint8Array(stored);
  const count = new Uint32Array(bytes.buffer, 0, 1)[0]!;
  assert(HEAD_BYTES + count * ENTRY_BYTES <= bytes.length, "a copied board is as long as it says");
  return {
    entries: {
      entryIds: new Float64Array(bytes.buffer, HEAD_BYTES, count),
      scoresQp: new Int16Array(bytes.buffer, HEAD_BYTES + count * 8, count),
    },
    compact: bytes.slice(HEAD_BYTES + count * ENTRY_BYTES),
  };
}
