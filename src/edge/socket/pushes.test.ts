import { expect, test } from "bun:test";
import { ByteBuffer } from "flatbuffers";
import { ContestStream } from "../../client/contest-stream.ts";
import { contestId, type EntryId, matchId } from "../../domain/ids.ts";
import { paise } from "../../domain/money.ts";
import { seededRandom } from "../../domain/random.ts";
import { commentaryLine } from "../../domain/commentary.ts";
import { createMatchScore } from "../../domain/scoring/sports.ts";
import { topChanges } from "../../realtime/gateway/top-list.ts";
import { adaptCricsheet } from "../../stream/cricsheet.ts";
import { generateMatch } from "../../stream/match-generator.ts";
import type { PointsUpdate } from "../../stream/points-update.ts";
import { ClientIn } from "./generated/powerplay/wire/client-in.ts";
import { Message, OwnRank, Resumed, TopMoved } from "./generated/wire_generated.ts";
import { writeFrame } from "./frame-writer.ts";
import { ballFrame, ownRankFrame, setSlot, type TopEntry, topMovedFrame, writeContestFollowed } from "./pushes.ts";

const frameOf = (bytes: Uint8Array) => ClientIn.getRootAsClientIn(new ByteBuffer(bytes));
const contest = {
  id: contestId(9),
  matchId: matchId(7),
  state: "open",
  seatsTaken: 0,
  kind: "mega",
  name: "Mega",
  entryFeePaise: paise(100),
  entriesMax: 12_000_000,
  entriesPerUserMax: 3,
  prizePoolPaise: paise(100),
  prizes: [{ fromRank: 1, toRank: 1, amountPaise: paise(100) }],
  guaranteed: true,
  inviteCode: null,
} as const;

test("an own-rank push is below 48 bytes, whatever it says, and addressed by one byte", () => {
  for (const rank of [1, 255, 65_536, 12_000_000]) {
    for (const slot of [0, 1, 254]) {
      const standing = { rank, tiedCount: 12_000_000, scoreQp: -7 };
      const bytes = ownRankFrame(standing, 70_000);
      setSlot(bytes, slot);
      expect(bytes.length).toBeLessThan(48);
      const told = (frameOf(bytes).message(new OwnRank()) as OwnRank).standing()!;
      expect(told.slotAndRank() >>> 24).toBe(slot);
      expect(told.slotAndRank() & 0xff_ffff).toBe(rank);
      expect([told.tiedCount(), told.scoreQp(), told.offsetLow()]).toEqual([12_000_000, -7, 70_000 & 0xffff]);
    }
  }
});

const entryAt = (index: number, scoreQp: number): TopEntry => ({
  entryId: (64 * (index + 1) + 1) as EntryId,
  userName: `bot-${1_000 + index}`,
  scoreQp,
});
const sorted = (entries: TopEntry[]) => entries.sort((a, b) => b.scoreQp - a.scoreQp || a.entryId - b.entryId);

test("a client that applies every change of the top list has the top list; a typical change is below 200 bytes", () => {
  const random = seededRandom(3);
  const stream = new ContestStream(contest.id, new Map());
  const pool = Array.from({ length: 40 }, (_, index) => entryAt(index, random.int(400)));
  const topOf = () => sorted([...pool]).slice(0, 10);
  let top = topOf();
  const snapshot = {
    contestId: contest.id,
    epoch: 1,
    offset: 1,
    live: true,
    entryCount: 40,
    own: [],
    top,
    lastTiedCount: 1,
  };
  stream.answered(
    frameOf(
      writeFrame(Message.ContestFollowed, 1, (builder) =>
        writeContestFollowed(builder, Resumed.Snapshot, snapshot, contest),
      ).slice(),
    ),
  );
  const sizes: number[] = [];
  for (let offset = 2; offset < 500; offset++) {
    for (const [index, entry] of pool.entries()) {
      // Boundaries move a few players, and with them most teams a little.
      if (random.chance(0.6)) pool[index] = entryAt(index, entry.scoreQp + random.pick([0, 2, 4, 8, 12, 24]));
    }
    const before = top;
    top = topOf();
    const frame = topMovedFrame(contest.id, offset - 1, offset, topChanges(before, top), 1);
    sizes.push(frame.length);
    expect(stream.topMoved(frameOf(frame).message(new TopMoved()) as TopMoved)).toBe(true);
    expect(stream.view!.top.map(({ entryId, scoreQp, userName }) => ({ entryId, scoreQp, userName }))).toEqual(top);
    expect(stream.view!.offset).toBe(offset);
  }
  sizes.sort((a, b) => a - b);
  expect(sizes[Math.floor(sizes.length / 2)]!).toBeLessThan(200);
  // A change whose beginning was missed is not applied.
  const late = topMovedFrame(contest.id, 600, 601, topChanges(top, top), 1);
  expect(stream.topMoved(frameOf(late).message(new TopMoved()) as TopMoved)).toBe(false);
});

test("a typical ball, with its commentary, its reasons and new totals, is below 200 bytes", () => {
  const adapted = adaptCricsheet(generateMatch(11));
  if (!adapted.ok) throw new Error("the generated match is broken");
  const { events, facts, squad } = adapted.match;
  const score = createMatchScore(facts.scoringRules, squad);
  const nameOf = new Map(squad.players.map(({ id, name }) => [id, name]));
  const sizes: number[] = [];
  let before: PointsUpdate | null = null;
  for (const [index, event] of events.entries()) {
    const applied = score.apply(event);
    if (!applied.applied) throw new Error("a generated event was not applied");
    const update: PointsUpdate = {
      matchId: matchId(7),
      version: index + 1,
      atMs: 1.8e12,
      eventId: event.id,
      commentary: commentaryLine(event, facts, (player) => nameOf.get(player)!),
      pointsQp: Array.from(score.points()),
      changed: applied.changed,
      reasons: applied.reasons,
      scoreboard: score.scoreboard(),
    };
    if (event.type === "ball") sizes.push(ballFrame({ update, before }).length);
    before = update;
  }
  sizes.sort((a, b) => a - b);
  expect(sizes.length).toBeGreaterThan(100);
  expect(sizes[Math.floor(sizes.length / 2)]!).toBeLessThan(200);
});
