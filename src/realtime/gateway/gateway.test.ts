import { afterAll, beforeAll, expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import { PowerplayClient } from "../../client/index.ts";
import type { ContestView, Follow, MatchView } from "../../client/index.ts";
import { testConfig } from "../../config.ts";
import { MatchInPlay, type Player } from "../../demo/match-in-play.ts";
import type { Contest } from "../../domain/contest.ts";

const config = testConfig();
let play: MatchInPlay;
let mega: Contest;
let duel: Contest;
let players: Player[];
const clients: PowerplayClient[] = [];

function client(player: Player | null): PowerplayClient {
  const opened = new PowerplayClient({ url: play.node.socketUrl, session: player?.session ?? null });
  clients.push(opened);
  opened.connect();
  return opened;
}

/** The first view for which `holds`. */
async function until<View>(follow: Follow<View>, holds: (view: View) => boolean): Promise<View> {
  for await (const view of follow) if (holds(view)) return view;
  throw new Error("the stream was stopped");
}

beforeAll(async () => {
  play = await MatchInPlay.open(config);
  mega = await play.openContest();
  duel = await play.openContest({ entriesMax: 2, kind: "head_to_head" });
  players = [];
  for (let index = 0; index < 40; index++) {
    players.push(await play.player(`player-${index}`, index < 2 ? [mega, duel] : [mega]));
  }
});

afterAll(async () => {
  for (const opened of clients) opened.close();
  await play.node.stop();
  await rm(config.dataDir, { recursive: true, force: true });
});

async function boardOf(contest: Contest) {
  const page = await play.node.game.boards.top(contest.id, 10);
  if (!page.ok) throw new Error(page.refusal);
  return page.value;
}

async function mineOf(player: Player) {
  const mine = await play.node.game.boards.mine(player.id, mega.id);
  if (!mine.ok) throw new Error(mine.refusal);
  return mine.value.rows[0]!;
}

/** What a follower must come to show: the board as it is now. */
async function exactly(player: Player) {
  const [board, { rank, scoreQp, prizePaise, entryId }] = await Promise.all([boardOf(mega), mineOf(player)]);
  return (view: ContestView): boolean => {
    const own = view.own.map((row) => [row.rank, row.scoreQp, row.prizePaise, row.entryId]);
    return Bun.deepEquals(view.top, board.rows) && Bun.deepEquals(own, [[rank, scoreQp, prizePaise, entryId]]);
  };
}

test("before the deadline a followed contest is not live; at the lock it opens with own entries", async () => {
  const follow = client(players[0]!).followContest(mega.id);
  const waiting = await until(follow, () => true);
  expect(waiting).toMatchObject({ live: false, own: [], top: [], contest: { id: mega.id, name: "Practice" } });
  await play.lock();
  const opened = await until(follow, ({ live }) => live);
  expect(opened.entryCount).toBe(40);
  expect(opened.own.map(({ entryId }) => entryId)).toEqual([players[0]!.entry]);
  follow.stop();
});

test("after every ball top list, own rank, score and prize are exactly the board's", async () => {
  const player = players[7]!;
  const contest = client(player).followContest(mega.id);
  const match = clients.at(-1)!.followMatch(play.matchId);
  await until(contest, ({ live }) => live);
  let balls: MatchView = await until(match, () => true);
  for (let round = 0; round < 12; round++) {
    await play.play(7);
    await play.settled();
    const last = await play.node.game.boards.commentary(play.matchId, 1);
    if (!last.ok) throw new Error(last.refusal);
    balls = await until(
      match,
      (view) => view.balls.at(-1)?.eventId === last.value[0]?.eventId && view.balls.length > 0,
    );
    const view = await until(contest, await exactly(player));
    expect(view.top).toHaveLength(10);
  }
  const commentary = await play.node.game.boards.commentary(play.matchId, balls.balls.length);
  if (!commentary.ok) throw new Error(commentary.refusal);
  const shown = ({ eventId, text, atMs }: { eventId: string; text: string; atMs: number }) => [
    eventId,
    text,
    Math.floor(atMs / 1_000),
  ];
  expect(balls.balls.toReversed().map(shown)).toEqual(commentary.value.map(shown));
  expect(balls.match.state).toBe("live");
  contest.stop();
  match.stop();
});
