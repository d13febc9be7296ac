import { describe, expect, test } from "bun:test";
import { ByteBuffer } from "flatbuffers";
import * as request from "../../client/requests.ts";
import { seededRandom } from "../../domain/random.ts";
import { CALLS } from "./calls.ts";
import { ClientOut } from "./generated/powerplay/wire/client-out.ts";
import { SHAPES } from "./generated/shapes.ts";
import { Announced, Call, Player, SquadOf } from "./generated/wire_generated.ts";
import { FrameVerifier } from "./verify.ts";

const verifier = new FrameVerifier(SHAPES, "ClientOut");
const context = { squadOf: async () => null };
const player = { id: "p1", name: "Asha", side: 1, role: "BAT", creditsTenths: 85, announced: true } as never;
const terms = {
  matchId: 1,
  kind: "paid",
  name: "Hundred",
  entryFeePaise: 100,
  entriesMax: 100,
  entriesPerUserMax: 1,
  prizePoolPaise: 9_000,
  prizes: [
    { fromRank: 1, toRank: 1, amountPaise: 8_000 },
    { fromRank: 2, toRank: 2, amountPaise: 1_000 },
  ],
  guaranteed: true,
  inviteCode: "sesame",
} as never;
const match = {
  name: "A v B",
  sides: ["A", "B"],
  format: "T20",
  startMs: 1e12,
  scoringRules: "t20-2026",
  rosterRules: "modern",
} as never;

/** A good frame of every table that a call can have. */
const frames: readonly (readonly [string, Uint8Array])[] = (
  [
    [Call.Authenticate, request.token("token")],
    [Call.LogIn, request.credentials("meera", "long-password")],
    [Call.ListMatches, request.nothing],
    [Call.GetSquad, request.of(7)],
    [Call.SaveTeam, request.saveTeam(7, 1, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])],
    [Call.ListTeamVersions, request.ofTeam(7, 3)],
    [Call.Join, request.join(9, 1, "key", "sesame")],
    [Call.ListWalletLines, request.historyPage(5, 10)],
    [Call.Deposit, request.amount(100, "key")],
    [Call.GetDeposit, request.named("order")],
    [Call.GetPage, request.pageOf(9, 11, 10)],
    [Call.GetNeighbours, request.ofEntry(9, 65, 5)],
    [Call.GetPlayerBreakdown, request.ofPlayer(7, "p1")],
    [Call.GetCommentary, request.lastOf(7, 10)],
    [Call.FollowContest, request.follow(9, 1, 2)],
    [Call.CreateMatch, request.matchTerms(match)],
    [Call.PutSquad, request.squadOf(7, { players: [player, player, player] })],
    [Call.Announce, request.playersOf(7, ["p1", "p2"])],
    [Call.CreateContest, request.contestTerms(terms)],
  ] as const
).map(([call, write], index) => [Call[call], request.writeCall(call, index + 1, write)] as const);

/** What the node does with a frame that is well-formed. */
async function read(bytes: Uint8Array): Promise<void> {
  const frame = ClientOut.getRootAsClientOut(new ByteBuffer(bytes));
  frame.requestId();
  const call = CALLS[frame.callType()];
  if (call !== undefined && frame.call({ __init: () => true } as never) !== null) await call.letter(frame, context);
}

test.each(frames)("%s is well-formed, and no beginning of it is", (_name, bytes) => {
  expect(verifier.isWellFormed(bytes)).toBe(true);
  for (let length = 0; length < bytes.length; length++) {
    const beginning = bytes.slice(0, length);
    // Padding at the end of a frame is not part of anything.
    if (verifier.isWellFormed(beginning)) expect(bytes.slice(length).every((byte) => byte === 0)).toBe(true);
  }
});

describe("hostile frames are refused, or read without harm", () => {
  test("random bytes", async () => {
    const random = seededRandom(1);
    let passed = 0;
    for (let round = 0; round < 20_000; round++) {
      const bytes = Uint8Array.from({ length: random.int(120) }, () => (random.chance(0.5) ? 0 : random.int(256)));
      if (!verifier.isWellFormed(bytes)) continue;
      passed++;
      await read(bytes);
    }
    expect(passed).toBeLessThan(2_000);
  });

  test.each(frames)("%s with bytes changed", async (_name, good) => {
    const random = seededRandom(2);
    let refused = 0;
    for (let round = 0; round < 2_000; round++) {
      const bytes = good.slice();
      for (let change = random.int(4); change >= 0; change--) {
        bytes[random.int(bytes.length)] = random.pick([0, 1, 4, 0x7f, 0x80, 0xff, random.int(256)]);
      }
      if (verifier.isWellFormed(bytes)) await read(bytes);
      else refused++;
    }
    expect(refused).toBeGreaterThan(100);
  });

  test.each(frames)("%s with every offset, length and vtable entry set to extremes", async (_name, good) => {
    const view = (bytes: Uint8Array) => new DataView(bytes.buffer);
    for (let at = 0; at + 4 <= good.length; at += 2) {
      for (const extreme of [0, 1, 4, good.length, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
        const bytes = good.slice();
        view(bytes).setUint32(at, extreme, true);
        if (verifier.isWellFormed(bytes)) await read(bytes);
      }
    }
    expect(verifier.isWellFormed(good)).toBe(true);
  });

  test("one table named ten thousand times is not looked at ten thousand times", () => {
    const squadOf = (count: number) =>
      request.writeCall(Call.PutSquad, 1, (builder) => {
        const id = builder.createString("p1");
        const one = Player.createPlayer(builder, id, id, id, 1, 85, Announced.Playing);
        return SquadOf.createSquadOf(builder, 7, SquadOf.createPlayersVector(builder, Array(count).fill(one)));
      });
    expect(verifier.isWellFormed(squadOf(100))).toBe(true);
    expect(verifier.isWellFormed(squadOf(10_000))).toBe(false);
  });
});
