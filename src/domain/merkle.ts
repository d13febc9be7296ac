import { assert } from "./assert.ts";
import type { EntryId } from "./ids.ts";
import { type Roster, ROSTER_SIZE } from "./roster.ts";

/**
 * A Merkle tree over all teams of a match as they were locked (RFC 6962, section 2.1): whoever holds the root, published at
 * the deadline, can check that a team is in it and was not changed since (src/client/inclusion-proof.ts).
 *
 *     leaf  SHA-256(0x00 ‖ entry id, f64 little-endian ‖ roster, 11 bytes)      in ascending order of entry id
 *     node  SHA-256(0x01 ‖ left ‖ right)
 *
 * A tree of n leaves has the largest power of two below n on its left.
 */
export type Hash = Uint8Array;

export const HASH_BYTES = 32;
const LEAF_BYTES = 1 + 8 + ROSTER_SIZE;
const NODE_BYTES = 1 + 2 * HASH_BYTES;

/** What the hash of a leaf is over. */
export function leafContent(entry: EntryId, roster: Roster): Uint8Array<ArrayBuffer> {
  assert(roster.length === ROSTER_SIZE, `a roster has ${ROSTER_SIZE} players`);
  const content = new Uint8Array(LEAF_BYTES);
  new DataView(content.buffer).setFloat64(1, entry, true);
  content.set(roster, 9);
  return content;
}

/** What the hash of a node is over. */
export function nodeContent(left: Hash, right: Hash): Uint8Array<ArrayBuffer> {
  const content = new Uint8Array(NODE_BYTES);
  content[0] = 1;
  content.set(left, 1);
  content.set(right, 1 + HASH_BYTES);
  return content;
}

/** The hashes of leaves `first` to `end`, one after the other. `entryIds` ascending, `rosters` of 11 bytes each. */
export function leafHashes(entryIds: Float64Array, rosters: Uint8Array, first: number, end: number): Uint8Array {
  const hashes = new Uint8Array((end - first) * HASH_BYTES);
  const content = new Uint8Array(LEAF_BYTES);
  const view = new DataView(content.buffer);
  for (let index = first, at = 0; index < end; index++, at += HASH_BYTES) {
    view.setFloat64(1, entryIds[index]!, true);
    for (let slot = 0, from = index * ROSTER_SIZE; slot < ROSTER_SIZE; slot++)
      content[9 + slot] = rosters[from + slot]!;
    Bun.SHA256.hash(content, hashes.subarray(at, at + HASH_BYTES));
  }
  return hashes;
}

/** How many nodes the levels of a tree have, leaves first. */
function* levelSizes(leafCount: number): Generator<number> {
  for (let size = leafCount; ; size = Math.ceil(size / 2)) {
    yield size;
    if (size <= 1) return;
  }
}

/** A tree whose leaves are hashes already. Its levels lie in one buffer, leaves first, so that it can be kept as it is. */
export class MerkleTree {
  readonly #levels: Uint8Array[] = [];

  private constructor(
    readonly leafCount: number,
    readonly bytes: Uint8Array,
  ) {
    let at = 0;
    for (const size of levelSizes(leafCount)) {
      this.#levels.push(bytes.subarray(at, at + size * HASH_BYTES));
      at += size * HASH_BYTES;
    }
    assert(at === bytes.length, "the levels of a tree fill its bytes");
  }

  static byteCount(leafCount: number): number {
    return levelSizes(leafCount).reduce((bytes, size) => bytes + size * HASH_BYTES, 0);
  }

  /** At least one leaf hash. A lone last node is carried up as it is, which gives the RFC's tree. */
  static over(leaves: Uint8Array): MerkleTree {
    const leafCount = leaves.length / HASH_BYTES;
    assert(Number.isInteger(leafCount) && leafCount > 0, "a tree has at least one leaf");
    const bytes = new Uint8Array(MerkleTree.byteCount(leafCount));
    bytes.set(leaves);
    const tree = new MerkleTree(leafCount, bytes);
    const content = new Uint8Array(NODE_BYTES);
    content[0] = 1;
    for (const [depth, level] of tree.#levels.slice(0, -1).entries()) {
      const above = tree.#levels[depth + 1]!;
      for (let from = 0, to = 0; from < level.length; from += 2 * HASH_BYTES, to += HASH_BYTES) {
        if (from + HASH_BYTES === level.length) {
          above.set(level.subarray(from), to);
          continue;
        }
        content.set(level.subarray(from, from + 2 * HASH_BYTES), 1);
        Bun.SHA256.hash(content, above.subarray(to, to + HASH_BYTES));
      }
    }
    return tree;
  }

  /** A tree out of the bytes of one that was kept. */
  static of(leafCount: number, bytes: Uint8Array): MerkleTree {
    return new MerkleTree(leafCount, bytes);
  }

  get root(): Hash {
    return this.#levels.at(-1)!;
  }

  /** The siblings on the way from the leaf to the root; levels at which the node is carried up have none. */
  proof(leafIndex: number): Hash[] {
    assert(leafIndex >= 0 && leafIndex < this.leafCount, `leaf ${leafIndex} is not in the tree`);
    const siblings: Hash[] = [];
    for (let depth = 0, index = leafIndex; depth < this.#levels.length - 1; depth++, index >>= 1) {
      const at = (index ^ 1) * HASH_BYTES;
      const level = this.#levels[depth]!;
      if (at < level.length) siblings.push(level.subarray(at, at + HASH_BYTES));
    }
    return siblings;
  }
}
