import { type Hash, leafContent, nodeContent, sliceRootsContent } from "../domain/merkle.ts";
import type { InclusionProof as AnsweredProof } from "../edge/game.ts";
import type { Roster } from "../domain/roster.ts";

/** What `/v1/matches/{match}/proofs/{entry}` and the client's `inclusionProof` answer, but the root: hex in lower case, siblings from the leaf upwards. */
export type InclusionProof = Omit<AnsweredProof, "rootHex">;

const sha256 = async (content: Uint8Array<ArrayBuffer>): Promise<Hash> =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", content));

/** null: not hex. */
function fromHex(hex: string): Uint8Array | null {
  if (hex.length % 2 !== 0 || !/^[0-9a-f]*$/.test(hex)) return null;
  return Uint8Array.from({ length: hex.length / 2 }, (_, index) =>
    Number.parseInt(hex.slice(2 * index, 2 * index + 2), 16),
  );
}

/**
 * Whether the root that was published at the deadline was computed over exactly this team (RFC 9162, section 2.1.3.2). Keep
 * the root from then: a proof that brings its own proves nothing. A team that was changed, added or moved since fails.
 */
export async function verifyInclusion(proof: InclusionProof, rootHex: string): Promise<boolean> {
  const { entryId, leafCount, leafIndex } = proof;
  const roster: Roster | null = fromHex(proof.rosterHex);
  const siblings = proof.siblingsHex.map(fromHex);
  if (!Number.isSafeInteger(leafIndex) || leafIndex < 0 || leafIndex >= leafCount) return false;
  if (roster?.length !== 11 || siblings.some((sibling) => sibling?.length !== 32)) return false;
  let hash = await sha256(leafContent(entryId, roster));
  let used = 0;
  for (
    let index = leafIndex, last = leafCount - 1;
    last > 0;
    index = Math.floor(index / 2), last = Math.floor(last / 2)
  ) {
    // A lone last node is carried up as it is.
    if (index === last && index % 2 === 0) continue;
    const sibling = siblings[used++];
    if (!sibling) return false;
    hash = await sha256(index % 2 === 1 ? nodeContent(sibling, hash) : nodeContent(hash, sibling));
  }
  if (used !== siblings.length) return false;
  if (proof.slices.length > 0) {
    const slices = proof.slices.map(({ rootHex, teamCount }) => ({ root: fromHex(rootHex), teamCount }));
    const own = slices[proof.slice];
    if (own === undefined || own.teamCount !== leafCount || !isHash(own.root, hash)) return false;
    const roots = slices.map(({ root, teamCount }) => ({ root: root ?? NOT_HEX, teamCount }));
    if (roots.some(({ root }) => root.length !== 32)) return false;
    hash = await sha256(sliceRootsContent(roots));
  }
  return isHash(fromHex(rootHex), hash);
}

const NOT_HEX = new Uint8Array(0);

const isHash = (bytes: Uint8Array | null, hash: Hash): boolean =>
  bytes?.length === 32 && bytes.every((byte, index) => byte === hash[index]);
