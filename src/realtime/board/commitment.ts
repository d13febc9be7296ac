import { type Hash, HASH_WORDS, hashLeaves, MerkleTree, reduceToRoot } from "../../domain/merkle.ts";
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
    const teamCount = teams.entryIds.length;
    const roots = new Uint32Array(blockCount(teamCount) * HASH_WORDS);
    const hashes = new Uint32Array(BLOCK_TEAMS * HASH_WORDS);
    for (let first = 0, at = 0; first < teamCount; first += BLOCK_TEAMS, at += HASH_WORDS) {
      const end = Math.min(first + BLOCK_TEAMS, teamCount);
      hashLeaves(teams.entryIds, teams.rosters, first, end, hashes);
      reduceToRoot(hashes, end - first);
      roots.set(hashes.subarray(0, HASH_WORDS), at);
    }
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
    const { entryIds, rosters } = this.teams;
    const block = Math.floor(teamIndex / BLOCK_TEAMS);
    const first = block * BLOCK_TEAMS;
    const end = Math.min(first + BLOCK_TEAMS, this.teamCount);
    const hashes = new Uint32Array((end - first) * HASH_WORDS);
    hashLeaves(entryIds, rosters, first, end, hashes);
    return [...MerkleTree.over(hashes).proof(teamIndex - first), ...this.top.proof(block)];
  }
}
