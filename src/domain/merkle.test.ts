import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { verifyInclusion } from "../client/inclusion-proof.ts";
import { type EntryId, entryId, teamNo, userId } from "./ids.ts";
import { HASH_BYTES, HASH_WORDS, hashLeaves, leafContent, MerkleTree, reduceToRoot } from "./merkle.ts";
import { ROSTER_SIZE } from "./roster.ts";

const entryOf = (index: number): EntryId => entryId(userId(index + 1), teamNo(1));
const rosterOf = (index: number): Uint8Array =>
  Uint8Array.from({ length: ROSTER_SIZE }, (_, slot) => (slot + index) % 64);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

const sha256 = (...parts: Uint8Array[]): Uint8Array =>
  parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();

function treeOf(count: number): MerkleTree {
  const entryIds = Float64Array.from({ length: count }, (_, index) => entryOf(index));
  const rosters = Uint8Array.from(
    { length: count * ROSTER_SIZE },
    (_, at) => rosterOf(Math.floor(at / ROSTER_SIZE))[at % ROSTER_SIZE]!,
  );
  const hashes = new Uint32Array(count * HASH_WORDS);
  hashLeaves(entryIds, rosters, 0, count, hashes);
  const tree = MerkleTree.over(hashes);
  reduceToRoot(hashes, count);
  expect(hex(new Uint8Array(hashes.buffer, 0, HASH_BYTES))).toBe(hex(tree.root));
  return tree;
}

/** The RFC's definition, said recursively. */
function rootByDefinition(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 1) return leaves[0]!;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return sha256(Uint8Array.of(1), rootByDefinition(leaves.slice(0, split)), rootByDefinition(leaves.slice(split)));
}

const proofOf = (tree: MerkleTree, leafIndex: number) => ({
  entryId: entryOf(leafIndex),
  rosterHex: hex(rosterOf(leafIndex)),
  leafIndex,
  leafCount: tree.leafCount,
  siblingsHex: tree.proof(leafIndex).map(hex),
  slice: 0,
  slices: [],
});

describe.each([1, 2, 3, 4, 5, 7, 8, 9, 31, 100])("a tree of %d leaves", (count) => {
  const tree = treeOf(count);
  const leaves = Array.from({ length: count }, (_, index) => {
    const id = new Uint8Array(Float64Array.of(entryOf(index)).buffer);
    return sha256(Uint8Array.of(0), id, rosterOf(index));
  });

  test("has the root of RFC 6962", () => {
    expect(hex(tree.root)).toBe(hex(rootByDefinition(leaves)));
    expect(hex(MerkleTree.of(count, tree.bytes).root)).toBe(hex(tree.root));
    expect(tree.bytes.length).toBe(MerkleTree.byteCount(count));
  });

  test("proves each of its leaves at its place, and at no other", async () => {
    for (let leafIndex = 0; leafIndex < count; leafIndex++) {
      const proof = proofOf(tree, leafIndex);
      expect(await verifyInclusion(proof, hex(tree.root))).toBe(true);
      const other = (leafIndex + 1) % count;
      if (count > 1) {
        expect(await verifyInclusion({ ...proof, entryId: entryOf(other) }, hex(tree.root))).toBe(false);
        expect(await verifyInclusion({ ...proof, leafIndex: other }, hex(tree.root))).toBe(false);
      }
    }
  });
});

test("a changed roster, a changed sibling, one sibling more or less, or another root is not included", async () => {
  const tree = treeOf(10);
  const rootHex = hex(tree.root);
  const good = proofOf(tree, 6);
  const stranger = hex(sha256(leafContent(entryOf(0), rosterOf(0))));
  expect(await verifyInclusion(good, rootHex)).toBe(true);
  for (const bad of [
    { ...good, rosterHex: hex(rosterOf(7)) },
    { ...good, rosterHex: good.rosterHex.slice(2) },
    { ...good, rosterHex: "not hex" },
    { ...good, siblingsHex: [stranger, ...good.siblingsHex.slice(1)] },
    { ...good, siblingsHex: good.siblingsHex.slice(1) },
    { ...good, siblingsHex: [...good.siblingsHex, stranger] },
    { ...good, siblingsHex: [good.siblingsHex[0]!.slice(2), ...good.siblingsHex.slice(1)] },
    { ...good, leafIndex: 10 },
    { ...good, leafIndex: -1 },
    { ...good, leafIndex: 6.5 },
  ]) {
    expect(await verifyInclusion(bad, rootHex)).toBe(false);
  }
  expect(await verifyInclusion(good, stranger)).toBe(false);
  expect(await verifyInclusion(good, "")).toBe(false);
  expect(stranger).toHaveLength(2 * HASH_BYTES);
});
