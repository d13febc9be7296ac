import type { MatchId } from "../domain/ids.ts";
import type { PointsVector } from "../domain/points.ts";
import { type EventLog, forEachRecord, partitionOf } from "../stores/event-log/port.ts";
import { decodeScoreRecord, type ScoreRecord } from "../stream/score-event.ts";
import { SQUAD } from "./simulated-game.ts";

/** A ball that gives its batter points, as a provider would send it. */
export const simulatedBall = (id: string, batter: number, runs: number) => ({
  type: "ball",
  id,
  version: 1,
  atMs: 0,
  innings: 1,
  over: 0,
  ballInOver: 1,
  batter: SQUAD.players[batter]!.id,
  nonStriker: SQUAD.players[(batter + 1) % SQUAD.players.length]!.id,
  bowler: SQUAD.players[(batter + 2) % SQUAD.players.length]!.id,
  runs: { batter: runs, extras: 0, total: runs },
});

export async function scoreRecords(log: Pick<EventLog, "read">, match: MatchId): Promise<ScoreRecord[]> {
  const records: ScoreRecord[] = [];
  const batch = await log.read("score-events", partitionOf("score-events", match), 0, 1e9, 0);
  forEachRecord(batch, (value) => records.push(decodeScoreRecord(value)));
  return records.filter(({ matchId }) => matchId === match);
}

/** The plainest scoring there is: a run is a point, each event counts once, and nothing after the release mark does. */
export function simulatedScore(records: readonly ScoreRecord[], base: PointsVector): PointsVector {
  const points = base.slice();
  const seen = new Set<string>();
  for (const record of records) {
    if (record.kind === "release") break;
    const { event } = record;
    if (event.type !== "ball" || seen.has(event.id)) continue;
    seen.add(event.id);
    points[SQUAD.players.findIndex(({ id }) => id === event.batter)]! += 4 * event.runs.batter;
  }
  return points;
}
