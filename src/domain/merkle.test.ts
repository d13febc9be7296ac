import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { entryId, teamNo, userId } from "./ids.ts";
import { type Hash, isIncluded, leafHash, MerkleTree } from "./merkle.ts";

const leavesOf = (count: number): Hash[] =>
  Array.from({ length: count }, (_, index) =>
    leafHash(
      entryId(userId(index + 1), teamNo(1)),
      Uint8Array.from({ length: 11 }, (_, slot) => (slot + index) % 64),
    ),
  );

/** The RFC's definition, said recursively. */
function rootByDefinition(leaves: readonly Hash[]): Hash {
  if (leaves.length === 1) return leaves[0]!;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return createHash("sha256")
    .update(Uint8Array.of(1))
    .update(rootByDefinition(leaves.slice(0, split)))
    .update(rootByDefinition(leaves.slice(split)))
    .digest();
}

describe.each([1, 2, 3, 4, 5, 7, 8, 9, 31, 100])("a tree of %d leaves", (count) => {
  const leaves = leavesOf(count);
  const tree = new MerkleTree(leaves);

  test("has the root of RFC 6962", () => {
    expect(Buffer.from(tree.root).toString("hex")).toBe(Buffer.from(rootByDefinition(leaves)).toString("hex"));
  });

  test("proves each of its leaves at its place, and at no other", () => {
    for (let leafIndex = 0; leafIndex < count; leafIndex++) {
      const inclusion = { leafIndex, leafCount: count, siblings: tree.proof(leafIndex), root: tree.root };
      expect(isIncluded(leaves[leafIndex]!, inclusion)).toBe(true);
      if (count > 1) expect(isIncluded(leaves[(leafIndex + 1) % count]!, inclusion)).toBe(false);
    }
  });
});

test("a changed roster, a changed sibling, one sibling more or less, or another root is not included", () => {
  const leaves = leavesOf(10);
  const tree = new MerkleTree(leaves);
  const good = { leafIndex: 6, leafCount: 10, siblings: tree.proof(6), root: tree.root };
  const roster = Uint8Array.from({ length: 11 }, (_, slot) => (slot + 6) % 64);
  const entry = entryId(userId(7), teamNo(1));
  expect(isIncluded(leafHash(entry, roster), good)).toBe(true);
  roster[0] = 63;
  expect(isIncluded(leafHash(entry, roster), good)).toBe(false);
  expect(isIncluded(leaves[6]!, { ...good, siblings: [leaves[0]!, ...good.siblings.slice(1)] })).toBe(false);
  expect(isIncluded(leaves[6]!, { ...good, siblings: good.siblings.slice(1) })).toBe(false);
  expect(isIncluded(leaves[6]!, { ...good, siblings: [...good.siblings, leaves[0]!] })).toBe(false);
  expect(isIncluded(leaves[6]!, { ...good, root: leaves[0]! })).toBe(false);
  expect(isIncluded(leaves[6]!, { ...good, leafIndex: 10 })).toBe(false);
});
