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
 * A tree of n leaves has the largest power of two below n on its left. Where the teams lie in slices, each slice has a tree of
 * its own, and the published root is the hash over all of theirs:
 *
 *     SHA-256(0x02 ‖ for each slice: its root, 32 bytes, zeros without teams ‖ its count of teams, f64 little-endian)
 */
export type Hash = Uint8Array;

export const HASH_BYTES = 32;
export const HASH_WORDS = HASH_BYTES / 4;
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

/** What the root over several slices is the hash of. */
export function sliceRootsContent(
  slices: readonly { readonly root: Hash; readonly teamCount: number }[],
): Uint8Array<ArrayBuffer> {
  const content = new Uint8Array(1 + slices.length * (HASH_BYTES + 8));
  const view = new DataView(content.buffer);
  content[0] = 2;
  for (const [index, { root, teamCount }] of slices.entries()) {
    const at = 1 + index * (HASH_BYTES + 8);
    content.set(root, at);
    view.setFloat64(at + HASH_BYTES, teamCount, true);
  }
  return content;
}

export function sliceRootsRoot(slices: readonly { readonly root: Hash; readonly teamCount: number }[]): Hash {
  const root = new Uint8Array(HASH_BYTES);
  Bun.SHA256.hash(sliceRootsContent(slices), root);
  return root;
}

/** Hashes many contents of one length, word by word and without an object each: half of the time for 12 M of them. */
class Hasher {
  /** The content behind its tag, aligned. */
  readonly body: Uint8Array;
  readonly words: Uint32Array;
  readonly #content: Uint8Array;
  readonly #hash = new Uint32Array(HASH_WORDS);
  readonly #hashBytes = new Uint8Array(this.#hash.buffer);

  constructor(contentBytes: number, tag: number) {
    const memory = new Uint8Array(4 + Math.ceil(contentBytes / 4) * 4);
    this.#content = memory.subarray(3, 3 + contentBytes);
    this.#content[0] = tag;
    this.body = this.#content.subarray(1);
    this.words = new Uint32Array(memory.buffer, 4);
  }

  /** Puts the hash of the content at hash number `place` of `hashes`. */
  put(hashes: Uint32Array, place: number): void {
    Bun.SHA256.hash(this.#content, this.#hashBytes);
    const at = place * HASH_WORDS;
    for (let word = 0; word < HASH_WORDS; word++) hashes[at + word] = this.#hash[word]!;
  }
}

const leafHasher = new Hasher(LEAF_BYTES, 0);
const leafView = new DataView(leafHasher.body.buffer, leafHasher.body.byteOffset);
const nodeHasher = new Hasher(NODE_BYTES, 1);

/** Writes the hashes of leaves `first` to `end`. `entryIds` ascending, `rosters` of 11 bytes each. */
export function hashLeaves(
  entryIds: Float64Array,
  rosters: Uint8Array,
  first: number,
  end: number,
  hashes: Uint32Array,
): void {
  const { body } = leafHasher;
  for (let index = first; index < end; index++) {
    leafView.setFloat64(0, entryIds[index]!, true);
    for (let slot = 0, from = index * ROSTER_SIZE; slot < ROSTER_SIZE; slot++) body[8 + slot] = rosters[from + slot]!;
    leafHasher.put(hashes, index - first);
  }
}

/** Writes the level above one of `count` nodes, and returns how many nodes it has. Both may be the same array. */
function hashLevel(level: Uint32Array, count: number, above: Uint32Array): number {
  const { words } = nodeHasher;
  const pairs = count >> 1;
  for (let place = 0, from = 0; place < pairs; place++) {
    for (let word = 0; word < 2 * HASH_WORDS; word++) words[word] = level[from++]!;
    nodeHasher.put(above, place);
  }
  // A lone last node is carried up as it is, which gives the RFC's tree.
  if (count % 2 === 1) {
    for (let word = 0, from = (count - 1) * HASH_WORDS; word < HASH_WORDS; word++) {
      above[pairs * HASH_WORDS + word] = level[from + word]!;
    }
  }
  return count - pairs;
}

/** Leaves the root over `count` leaf hashes at the beginning of `hashes`, which are gone then. */
export function reduceToRoot(hashes: Uint32Array, count: number): void {
  for (let left = count; left > 1;) left = hashLevel(hashes, left, hashes);
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

  /** Over at least one leaf hash. */
  static over(leaves: Uint32Array): MerkleTree {
    const leafCount = leaves.length / HASH_WORDS;
    assert(Number.isInteger(leafCount) && leafCount > 0, "a tree has at least one leaf");
    const tree = new MerkleTree(leafCount, new Uint8Array(MerkleTree.byteCount(leafCount)));
    const levels = tree.#levels.map((level) => new Uint32Array(level.buffer, level.byteOffset, level.length / 4));
    levels[0]!.set(leaves);
    for (const [depth, level] of levels.slice(0, -1).entries()) {
      hashLevel(level, level.length / HASH_WORDS, levels[depth + 1]!);
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
