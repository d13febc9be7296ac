import { expect, test } from "bun:test";
import { StoreUnavailable } from "../../unavailable.ts";
import type { FoundOffset } from "./admin.ts";
import { Offsets } from "./offsets.ts";

const INVALID = -1001;

function openOffsets(answers: readonly Pick<FoundOffset, "code" | "offset">[], timeoutMs: number) {
  let asked = 0;
  const admin = {
    async offsets(places: readonly Pick<FoundOffset, "topicIndex" | "partition">[]) {
      const answer = answers[Math.min(asked++, answers.length - 1)]!;
      return places.map(({ partition, topicIndex }) => ({ partition, topicIndex, ...answer }));
    },
  };
  return new Offsets(admin, "end", timeoutMs);
}

test("an offset that is none is no answer: the question is asked again", async () => {
  const offsets = openOffsets(
    [
      { code: 0, offset: INVALID },
      { code: 6, offset: INVALID },
      { code: 0, offset: 28 },
    ],
    60_000,
  );
  expect(await offsets.of("team-saves", 3)).toBe(28);
});

test("who is never answered hears that nobody knows", async () => {
  const offsets = openOffsets([{ code: 0, offset: INVALID }], 1);
  await expect(offsets.of("team-saves", 3)).rejects.toThrow(StoreUnavailable);
});
