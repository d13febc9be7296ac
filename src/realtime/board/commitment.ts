import { type Hash, leafHashes, MerkleTree } from "../../domain/merkle.ts";
import type { LockedTeams } from "../index/port.ts";

/**
 * A proof hashes one block again (half a millisecond), so that only 1/128 of the tree has to be kept: 3 MB for 12 M teams
 * instead of 770. A power of two, so that blocks are subtrees.
 */
const BLOCK_TEAMS = 256;

export const blockCount = (teamCount: number): number => Math.ceil(teamCount / BLOCK_TEAMS);

/** The Merkle tree over all locked teams: one tree over blocks of teams, and a tree within each block. */
export class Commitment {
  constructor(
    readonly teams: LockedTeams,
    /** Its leaves are the roots of the blocks. */
    readonly top: MerkleTree,
  ) {}

  /** Hashes every team: 12 M take about 2 s, so never on the node's main thread. At least one team. */
  static over(teams: LockedTeams): Commitment {
    const roots = new Uint8Array(blockCount(teams.entryIds.length) * 32);
    for (let block = 0; block * 32 < roots.length; block++) roots.set(blockTree(teams, block).root, block * 32);
    return new Commitment(teams, MerkleTree.over(roots));
  }

  get root(): Hash {
    return this.top.root;
  }

  get teamCount(): number {
    return this.teams.entryIds.length;
  }

  /** The siblings on the way from a team to the root. */
  proof(teamIndex: number): Hash[] {
    const block = Math.floor(teamIndex / BLOCK_TEAMS);
    return [...blockTree(this.teams, block).proof(teamIndex % BLOCK_TEAMS), ...this.top.proof(block)];
  }
}

function blockTree({ entryIds, rosters }: LockedTeams, block: number): MerkleTree {
  const first = block * BLOCK_TEAMS;
  return MerkleTree.over(leafHashes(entryIds, rosters, first, Math.min(first + BLOCK_TEAMS, entryIds.length)));
}
