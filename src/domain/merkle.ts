import { createHash } from "node:crypto";
import { assert } from "./assert.ts";
import type { EntryId } from "./ids.ts";
import type { Roster } from "./roster.ts";

/**
 * A Merkle tree over all teams of a match as they were locked (RFC 6962, section 2.1): whoever holds the root, published at
 * the deadline, can check that a team is in it and was not changed since.
 *
 *     leaf  SHA-256(0x00 ‖ entry id, f64 little-endian ‖ roster, 11 bytes)      in ascending order of entry id
 *     node  SHA-256(0x01 ‖ left ‖ right)
 *
 * A tree of n leaves has the largest power of two below n on its left.
 */
export type Hash = Uint8Array;

export function leafHash(entry: EntryId, roster: Roster): Hash {
  const id = new Uint8Array(8);
  new DataView(id.buffer).setFloat64(0, entry, true);
  return createHash("sha256").update(LEAF).update(id).update(roster).digest();
}

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

const nodeHash = (left: Hash, right: Hash): Hash =>
  createHash("sha256").update(NODE).update(left).update(right).digest();

/** All levels, leaves first; a lone last node is carried up as it is, which gives the RFC's tree. */
export class MerkleTree {
  readonly #levels: Hash[][];

  constructor(leaves: readonly Hash[]) {
    assert(leaves.length > 0, "a tree has at least one leaf");
    this.#levels = [[...leaves]];
    for (let level = this.#levels[0]!; level.length > 1; level = this.#levels.at(-1)!) {
      const above: Hash[] = [];
      for (let index = 0; index + 1 < level.length; index += 2) above.push(nodeHash(level[index]!, level[index + 1]!));
      if (level.length % 2 === 1) above.push(level.at(-1)!);
      this.#levels.push(above);
    }
  }

  get leafCount(): number {
    return this.#levels[0]!.length;
  }

  get root(): Hash {
    return this.#levels.at(-1)![0]!;
  }

  /** The siblings on the way from the leaf to the root; levels at which the node is carried up have none. */
  proof(leafIndex: number): Hash[] {
    assert(leafIndex >= 0 && leafIndex < this.leafCount, `leaf ${leafIndex} is not in the tree`);
    const siblings: Hash[] = [];
    for (let depth = 0, index = leafIndex; depth < this.#levels.length - 1; depth++, index >>= 1) {
      const sibling = this.#levels[depth]![index ^ 1];
      if (sibling !== undefined) siblings.push(sibling);
    }
    return siblings;
  }
}

export interface Inclusion {
  readonly leafIndex: number;
  readonly leafCount: number;
  readonly siblings: readonly Hash[];
  readonly root: Hash;
}

/** Whether the root was computed over this leaf at this place (RFC 9162, section 2.1.3.2). */
export function isIncluded(leaf: Hash, { leafIndex, leafCount, siblings, root }: Inclusion): boolean {
  if (leafIndex < 0 || leafIndex >= leafCount) return false;
  let hash = leaf;
  let used = 0;
  for (let index = leafIndex, last = leafCount - 1; last > 0; index >>= 1, last >>= 1) {
    if (index === last && index % 2 === 0) continue;
    const sibling = siblings[used++];
    if (sibling === undefined) return false;
    hash = index % 2 === 1 ? nodeHash(sibling, hash) : nodeHash(hash, sibling);
  }
  return used === siblings.length && Buffer.compare(hash, root) === 0;
}
