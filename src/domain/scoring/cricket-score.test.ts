import { describe, expect, test } from "bun:test";
import { type BallEvent, type FeedEvent, parseFeedEvent, type Wicket } from "../feed.ts";
import { type PlayerId, playerId } from "../ids.ts";
import type { Role, Squad } from "../squad.ts";
import type { CricketScore } from "./cricket-score.ts";
import { createMatchScore } from "./sports.ts";

const SIDES: readonly (readonly [name: string, role: Role])[] = [
  ["opener", "BAT"],
  ["partner", "BAT"],
  ["tailender", "BOWL"],
  ["seamer", "BOWL"],
  ["spinner", "BOWL"],
  ["keeper", "WK"],
  ["cover", "BAT"],
];
const squad: Squad = {
  players: SIDES.map(([name, role], index) => ({
    id: playerId(name),
    name,
    side: index < 3 ? 0 : 1,
    role,
    creditsTenths: 85,
    announced: null,
  })),
};
const indexOf = (name: string): number => SIDES.findIndex(([player]) => player === name);

const id = (name: string): PlayerId => playerId(name);
const fielders = (...names: (string | null)[]): Wicket["fielders"] =>
  names.map((name) => ({ player: name === null ? null : id(name), substitute: false }));

/** A dot ball by the seamer to the opener, unless it says otherwise; runs.extras and runs.total follow from the rest. */
function ball(
  over: number,
  ballInOver: number,
  but: Partial<Omit<BallEvent, "type" | "runs">> & { batterRuns?: number } = {},
): BallEvent {
  const { batterRuns = 0, ...rest } = but;
  const extraRuns = Object.values(rest.extras ?? {}).reduce((sum, runs) => sum + runs, 0);
  const event: BallEvent = {
    type: "ball",
    id: `${rest.innings ?? 1}.${over}.${ballInOver}`,
    version: 1,
    atMs: 0,
    innings: 1,
    superOver: false,
    over,
    ballInOver,
    batter: id("opener"),
    nonStriker: id("partner"),
    bowler: id("seamer"),
    runs: { batter: batterRuns, extras: extraRuns, total: batterRuns + extraRuns },
    nonBoundary: false,
    extras: {},
    wickets: [],
    ...rest,
  };
  expect(parseFeedEvent(event)).toEqual({ ok: true, event });
  return event;
}

const overOf = (over: number, balls: number, but: Parameters<typeof ball>[2] = {}): BallEvent[] =>
  Array.from({ length: balls }, (_, index) => ball(over, index + 1, but));

const out = (kind: Wicket["kind"], player: string, by: Wicket["fielders"] = []): Pick<BallEvent, "wickets"> => ({
  wickets: [{ kind, playerOut: id(player), fielders: by }],
});

function scoreOf(rules: string, ...events: FeedEvent[]): CricketScore {
  const score = createMatchScore(rules, squad);
  for (const event of events) expect(score.apply(event)).toMatchObject({ applied: true });
  return score;
}

const points = (score: CricketScore, name: string): number => score.pointsOf(indexOf(name)) / 4;
const maidens = (...events: FeedEvent[]): number[] =>
  ["seamer", "spinner"].map((name) => scoreOf("t20-2026", ...events).statsOf(indexOf(name))!.maidens);

describe("a maiden is a complete over by one bowler that cost him nothing", () => {
  const first = overOf(0, 5);
  test.each<[string, FeedEvent[], number[]]>([
    ["six dots", overOf(0, 6), [1, 0]],
    ["five dots", first, [0, 0]],
    ["five dots, then the umpire calls over", [...first, ball(1, 1, { bowler: id("spinner") })], [1, 0]],
    ["seven dots", overOf(0, 7), [1, 0]],
    [
      "byes and leg-byes",
      [...first, ball(0, 6, { extras: { byes: 4 } }), ball(0, 7, { extras: { legbyes: 1 } })],
      [1, 0],
    ],
    ["penalty runs", [...first, ball(0, 6, { extras: { penalty: 5 } })], [1, 0]],
    ["a wide", [...overOf(0, 6), ball(0, 7, { extras: { wides: 1 } })], [0, 0]],
    ["a no-ball", [...overOf(0, 6), ball(0, 7, { extras: { noballs: 1 } })], [0, 0]],
    ["a run off the bat", [...first, ball(0, 6, { batterRuns: 1 })], [0, 0]],
    ["two bowlers", [...first, ball(0, 6, { bowler: id("spinner") })], [0, 0]],
    ["a wicket", [...first, ball(0, 6, out("bowled", "opener"))], [1, 0]],
  ])("%s", (_name, events, expected) => {
    expect(maidens(...events)).toEqual(expected);
    expect(maidens(...events.toReversed())).toEqual(expected);
  });

  test("a late sixth ball takes back the maiden that five seemed to be", () => {
    const next = ball(1, 1, { bowler: id("spinner") });
    expect(maidens(...first, next, ball(0, 6, { batterRuns: 1 }))).toEqual([0, 0]);
  });
});

describe("run-outs: a direct hit is by the only fielder, otherwise the last two share", () => {
  const credits = (by: Wicket["fielders"]): number[] => {
    const score = scoreOf("t20-2017", ball(0, 1, out("runOut", "partner", by)));
    return ["keeper", "cover", "spinner"].map((name) => points(score, name));
  };
  const substitute = { player: id("cover"), substitute: true };
  test.each<[string, Wicket["fielders"], number[]]>([
    ["one fielder", fielders("cover"), [0, 6, 0]],
    ["thrower, catcher", fielders("cover", "keeper"), [2, 4, 0]],
    ["three touched it", fielders("spinner", "cover", "keeper"), [2, 4, 0]],
    ["nobody knows who", null, [0, 0, 0]],
    ["an unknown thrower", fielders(null, "keeper"), [2, 0, 0]],
    ["an unknown catcher", fielders("cover", null), [0, 4, 0]],
    ["a substitute's direct hit", [substitute], [0, 0, 0]],
    ["a substitute throws", [substitute, ...fielders("keeper")!], [2, 0, 0]],
  ])("%s", (_name, by, expected) => {
    expect(credits(by)).toEqual(expected);
  });

  test("a later version that names the fielders gives them their credit, and its reasons say so", () => {
    const untold = ball(0, 1, { ...out("runOut", "partner", null), batterRuns: 1 });
    const score = scoreOf("t20-2026", untold);
    const told = ball(0, 1, { ...out("runOut", "partner", fielders("cover", "keeper")), batterRuns: 1, version: 2 });
    expect(score.apply(told)).toEqual({
      applied: true,
      changed: [
        { poolIndex: indexOf("keeper"), oldQp: 0, newQp: 24 },
        { poolIndex: indexOf("cover"), oldQp: 0, newQp: 24 },
      ],
      reasons: [
        { poolIndex: indexOf("keeper"), eventId: "1.0.1", rule: "runOutCatcher", qp: 24, provisional: false },
        { poolIndex: indexOf("cover"), eventId: "1.0.1", rule: "runOutThrower", qp: 24, provisional: false },
      ],
    });
  });
});

describe("dismissals", () => {
  const after = (kind: Wicket["kind"], by: Wicket["fielders"] = []): number[] => {
    const score = scoreOf("t20-2021", ball(0, 1, out(kind, "opener", by)));
    return ["opener", "seamer", "keeper"].map((name) => points(score, name));
  };
  test.each<[Wicket["kind"], Wicket["fielders"], number[]]>([
    ["bowled", [], [-2, 33, 0]],
    ["lbw", [], [-2, 33, 0]],
    ["hitWicket", [], [-2, 25, 0]],
    ["caught", fielders("keeper"), [-2, 25, 8]],
    ["caught", null, [-2, 25, 0]],
    ["caughtAndBowled", [], [-2, 33, 0]],
    ["stumped", fielders("keeper"), [-2, 25, 12]],
    ["runOut", fielders("keeper"), [-2, 0, 12]],
    ["obstructingTheField", [], [-2, 0, 0]],
    ["hitTheBallTwice", [], [-2, 0, 0]],
    ["timedOut", [], [-2, 0, 0]],
    ["retiredOut", [], [-2, 0, 0]],
    ["retiredHurt", [], [0, 0, 0]],
    ["retiredNotOut", [], [0, 0, 0]],
  ])("what batter, bowler and keeper earn: %s", (kind, by, expected) => {
    expect(after(kind, by)).toEqual(expected);
  });

  test("bowlers are exempt from ducks", () => {
    const event = ball(0, 1, { batter: id("tailender"), ...out("bowled", "tailender") });
    expect(points(scoreOf("t20-2021", event), "tailender")).toBe(0);
  });

  test("the third catch pays the bonus once", () => {
    const catches = Array.from({ length: 6 }, (_, index) =>
      ball(0, index + 1, { ...out("caught", "opener", fielders("keeper")), batterRuns: 0 }),
    );
    const atEach = catches.map((_, index) => points(scoreOf("t20-2021", ...catches.slice(0, index + 1)), "keeper"));
    expect(atEach).toEqual([8, 16, 28, 36, 44, 52]);
  });
});

test("the walkthrough: a six is seven points, and four or six runs that were no boundary earn no bonus", () => {
  const runs = (batterRuns: number, nonBoundary = false) =>
    points(scoreOf("base", ball(0, 1, { batterRuns, nonBoundary })), "opener");
  expect([runs(6), runs(4), runs(6, true), runs(4, true), runs(5)]).toEqual([7, 5, 6, 4, 5]);
});

test("wides are no balls faced and no-balls are; neither is a legal ball or a dot", () => {
  const score = scoreOf("t20-2026", ball(0, 1, { extras: { wides: 1 } }), ball(0, 2, { extras: { noballs: 1 } }));
  expect(score.statsOf(indexOf("opener"))).toMatchObject({ ballsFaced: 1, runs: 0 });
  expect(score.statsOf(indexOf("seamer"))).toMatchObject({ legalBalls: 0, conceded: 2, dots: 0 });
});

describe("corrections", () => {
  test("a ball given to another batter moves all that it earned", () => {
    const wrong = ball(0, 1, { batterRuns: 4 });
    const right = { ...wrong, version: 2, batter: id("partner"), nonStriker: id("opener") };
    const score = scoreOf("base", wrong, right);
    expect(["opener", "partner"].map((name) => points(score, name))).toEqual([0, 5]);
  });

  test("a run that was none makes the over a maiden after all, and back", () => {
    const score = scoreOf("t20-2026", ...overOf(0, 5), ball(0, 6, { batterRuns: 1 }));
    const maidensAfter = (batterRuns: number, version: number) => {
      score.apply(ball(0, 6, { batterRuns, version }));
      return score.statsOf(indexOf("seamer"))!.maidens;
    };
    expect([maidensAfter(0, 2), maidensAfter(2, 3), maidensAfter(0, 4)]).toEqual([1, 0, 1]);
  });

  test("an older or equal version changes nothing, whenever it comes", () => {
    const score = scoreOf("base", ball(0, 1, { batterRuns: 6, version: 3 }));
    for (const version of [1, 2, 3]) {
      expect(score.apply(ball(0, 1, { batterRuns: 4, version }))).toEqual({ applied: false, refusal: "superseded" });
    }
    expect(points(score, "opener")).toBe(7);
  });

  test("a void withdraws a ball, also one that has not arrived yet, and a higher version brings it back", () => {
    const withdrawal: FeedEvent = { type: "void", id: "1.0.1", version: 2, atMs: 0 };
    const score = scoreOf("base", withdrawal);
    expect(score.apply(ball(0, 1, { batterRuns: 6 }))).toEqual({ applied: false, refusal: "superseded" });
    expect([points(score, "opener"), score.scoreboard()]).toEqual([0, []]);
    score.apply(ball(0, 1, { batterRuns: 6, version: 3 }));
    expect(points(score, "opener")).toBe(7);
  });

  test("a ball turns out to belong to a super over: its points go, its runs move", () => {
    const score = scoreOf("t20-2026", ...overOf(0, 6), ...overOf(0, 6, { superOver: true, version: 2 }));
    expect(score.points()).toEqual(new Int16Array(64));
    expect(score.scoreboard().map((board) => [board.superOver, board.overs])).toEqual([[true, "1.0"]]);
  });

  test("a corrected line-up replaces the whole list", () => {
    const lineup = (version: number, ...names: string[]): FeedEvent => ({
      type: "lineup",
      id: "lineup",
      version,
      atMs: 0,
      startingXi: names.map(id),
    });
    const score = scoreOf("t20-2026", lineup(1, "opener", "keeper"), lineup(2, "opener", "cover"));
    expect(["opener", "keeper", "cover"].map((name) => points(score, name))).toEqual([4, 0, 4]);
  });

  test("a player outside the squad is refused by field, and nothing changes", () => {
    const score = scoreOf("t20-2026", ball(0, 1, { batterRuns: 1 }));
    const before = score.points();
    const stranger = ball(0, 1, { bowler: id("stranger"), version: 2 });
    expect(score.apply(stranger)).toMatchObject({ refusal: "player_unknown", faults: [{ field: "bowler" }] });
    expect(score.points()).toEqual(before);
    expect(score.apply(ball(0, 1, { version: 2 }))).toMatchObject({ applied: true });
  });
});

describe("reasons", () => {
  test("economy and strike rate are provisional, and follow the rate ball by ball", () => {
    const score = scoreOf("t20-2020", ...overOf(0, 6), ...overOf(1, 5));
    const twelfth = score.apply(ball(1, 6));
    expect(twelfth.applied && twelfth.reasons).toEqual([
      { poolIndex: indexOf("seamer"), eventId: "1.1.6", rule: "maiden", qp: 32, provisional: false },
      { poolIndex: indexOf("seamer"), eventId: "1.1.6", rule: "economy", qp: 24, provisional: true },
    ]);
    const thirteenth = score.apply(ball(2, 1, { batterRuns: 6 }));
    expect(thirteenth.applied && thirteenth.reasons).toContainEqual({
      poolIndex: indexOf("opener"),
      eventId: "1.2.1",
      rule: "six",
      qp: 8,
      provisional: false,
    });
  });

  test("they are told in the order of play, however the balls arrived", () => {
    const fifty = Array.from({ length: 9 }, (_, index) => ball(0, index + 1, { batterRuns: 6 }));
    const inOrder = scoreOf("base", ...fifty).reasons();
    expect(scoreOf("base", ...fifty.toReversed()).reasons()).toEqual(inOrder);
    expect(inOrder.filter((line) => line.rule === "milestone")).toEqual([
      { poolIndex: indexOf("opener"), eventId: "1.0.9", rule: "milestone", qp: 32, provisional: false },
    ]);
  });
});

describe("scoreboard", () => {
  test("runs, wickets and overs by innings; who retires hurt is not out", () => {
    const score = scoreOf(
      "t20-2026",
      ...overOf(0, 6, { batterRuns: 1 }),
      ball(1, 1, out("retiredHurt", "opener")),
      ball(1, 2, out("bowled", "partner")),
      ball(1, 3, { extras: { wides: 2 } }),
      { type: "penaltyRuns", id: "1/post", version: 1, atMs: 0, innings: 1, side: 0, runs: 5 },
    );
    expect(score.scoreboard()).toEqual([{ innings: 1, side: 0, superOver: false, runs: 13, wickets: 1, overs: "1.2" }]);
  });
});

test("points that no match can reach saturate instead of wrapping round", () => {
  const absurd = Array.from({ length: 200 }, (_, index) => ball(index, 1, { batterRuns: 60 }));
  expect(scoreOf("base", ...absurd).points()[indexOf("opener")]).toBe(32_766);
});
