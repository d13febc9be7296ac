import { describe, expect, test } from "bun:test";
import { feedEventJsonSchema, parseFeedEvent, unknownPlayers } from "./feed.ts";
import { playerId } from "./ids.ts";

const ball = {
  type: "ball",
  id: "1.0.1",
  version: 1,
  atMs: 1_775_000_000_000,
  innings: 1,
  over: 0,
  ballInOver: 1,
  batter: "striker",
  nonStriker: "partner",
  bowler: "bowler",
  runs: { batter: 0, extras: 0, total: 0 },
};

const faultsOf = (json: unknown): string[] => {
  const parsed = parseFeedEvent(json);
  return parsed.ok ? [] : parsed.faults.map((fault) => fault.field);
};

test("what a provider may leave out is filled in", () => {
  expect(
    parseFeedEvent({ ...ball, wickets: [{ kind: "runOut", playerOut: "partner", fielders: null }] }),
  ).toMatchObject({
    ok: true,
    event: {
      superOver: false,
      nonBoundary: false,
      extras: {},
      wickets: [{ kind: "runOut", playerOut: "partner", fielders: null }],
    },
  });
});

describe("a wrong field is named", () => {
  test.each<[string, unknown, string[]]>([
    ["legal", ball, []],
    ["no event at all", null, [""]],
    ["another kind of event", { ...ball, type: "bal" }, ["type"]],
    ["no bowler", { ...ball, bowler: undefined }, ["bowler"]],
    ["an empty id", { ...ball, id: "" }, ["id"]],
    ["version 0", { ...ball, version: 0 }, ["version"]],
    ["half a run", { ...ball, runs: { batter: 0.5, extras: 0, total: 0.5 } }, ["runs.batter", "runs.total"]],
    ["negative runs", { ...ball, runs: { batter: -1, extras: 0, total: -1 } }, ["runs.batter", "runs.total"]],
    ["over 501", { ...ball, over: 501 }, ["over"]],
    ["a field of their own", { ...ball, speedKmh: 140 }, ["speedKmh"]],
    ["extras of their own", { ...ball, extras: { overthrows: 1 } }, ["extras.overthrows"]],
    ["a wrong sum", { ...ball, runs: { batter: 4, extras: 0, total: 5 } }, ["runs.total"]],
    ["extras without a kind", { ...ball, runs: { batter: 0, extras: 1, total: 1 } }, ["runs.extras"]],
    [
      "wide and no-ball",
      { ...ball, runs: { batter: 0, extras: 2, total: 2 }, extras: { wides: 1, noballs: 1 } },
      ["extras.wides"],
    ],
    ["batting with himself", { ...ball, nonStriker: "striker" }, ["nonStriker"]],
    ["a wicket of their own", { ...ball, wickets: [{ kind: "mankad", playerOut: "partner" }] }, ["wickets[0].kind"]],
    [
      "a fielder's misspelt flag",
      { ...ball, wickets: [{ kind: "caught", playerOut: "striker", fielders: [{ player: "f", sub: true }] }] },
      ["wickets[0].fielders[0].sub"],
    ],
    ["nobody starts", { type: "lineup", id: "lineup", version: 1, atMs: 0, startingXi: [] }, ["startingXi"]],
    ["a time that is none", { type: "void", id: "1.0.1", version: 2, atMs: "now" }, ["atMs"]],
  ])("%s", (_name, json, fields) => {
    expect(faultsOf(json)).toEqual(fields);
  });
});

test("players outside the squad are named by field; ordinary substitutes and unknown fielders may be anybody", () => {
  const parsed = parseFeedEvent({
    ...ball,
    wickets: [
      {
        kind: "runOut",
        playerOut: "stranger",
        fielders: [{ player: "stranger" }, { player: "stranger", substitute: true }, { player: null }],
      },
    ],
  });
  const squad = new Set(["striker", "partner", "bowler"].map(playerId));
  expect(parsed.ok ? unknownPlayers(parsed.event, squad).map((fault) => fault.field) : parsed.faults).toEqual([
    "wickets[0].playerOut",
    "wickets[0].fielders[0].player",
  ]);
});

test("the documented JSON schema lists every kind of event, and defaults are optional in it", () => {
  const schema = feedEventJsonSchema() as { oneOf: { properties: { type: { const: string } }; required: string[] }[] };
  expect(schema.oneOf.map((kind) => kind.properties.type.const)).toEqual([
    "ball",
    "lineup",
    "substitution",
    "penaltyRuns",
    "matchEnd",
    "void",
  ]);
  expect(schema.oneOf[0]!.required).toContain("bowler");
  expect(schema.oneOf[0]!.required).not.toContain("wickets");
});
