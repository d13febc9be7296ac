import { type ContestId, contestId, type MatchId, matchId } from "../domain/ids.ts";
import { formatPaise, paise } from "../domain/money.ts";
import { seededRandom } from "../domain/random.ts";
import { ROSTER_RULES, type RosterDraft } from "../domain/roster.ts";
import type { CricsheetMatch } from "../stream/cricsheet.ts";
import type { Actor, Stage } from "./actor.ts";
import { type ApiClient, expectStatus } from "./api-client.ts";
import { concurrently } from "./concurrently.ts";
import { Latencies } from "./latencies.ts";
import { DEPOSIT_PAISE, type PlannedContest, planContests, teamCountOf } from "./plan.ts";
import { RandomRosters } from "./random-roster.ts";
import { ballPauseMs, type FeedTarget, postFeedEvent } from "./replay.ts";
import { progressBar, table, type Terminal } from "./terminal.ts";

/** Requests under way at once: enough to fill group commits, few enough for one process to play both sides. */
const WIDTH = 64;
const ROSTER_RULES_NAME = "modern";

/** One match of the demo: who plays it, on what, and how fast. */
export interface MatchDay {
  readonly node: Stage;
  readonly admin: Actor;
  readonly terminal: Terminal;
  readonly feedSecret: string;
  readonly game: CricsheetMatch;
  readonly bots: readonly Actor[];
  readonly seed: number;
  readonly startMs: number;
  /** The bots' wallets are full already. */
  readonly areFunded?: boolean;
  /** When everybody has joined, and before each event of the feed: what else happens then. */
  readonly onJoined?: (match: MatchId, contests: readonly OpenContest[]) => Promise<void>;
  readonly onEvent?: (index: number) => Promise<void>;
  /** Times real time. */
  readonly speed: number;
  readonly visitorSpeed: number;
  /** Resolves when the deadline has passed. */
  readonly deadline: () => Promise<void>;
}

export interface MatchDayResult {
  readonly contests: readonly OpenContest[];
  readonly released: readonly Release[];
  readonly finalRows: readonly ShownRow[];
  readonly saves: Latencies;
  readonly joins: Latencies;
  readonly balls: Latencies;
}

export interface Release {
  readonly contestId: ContestId;
  readonly outcome: string;
  readonly entryCount: number;
  readonly paidPaise: number;
}

/** From the match's creation to paid-out prizes, through the HTTP API as apps and a feed provider would. */
export async function playMatchDay(day: MatchDay): Promise<MatchDayResult> {
  const { bots, feedSecret, game, node, seed, terminal } = day;
  const admin = day.admin.api;
  const match = await openMatch(admin, game, day.startMs);
  const contests = await openContests(admin, planContests(match, bots.length));
  if (day.areFunded !== true) await deposit(bots, node.sandboxUrl!, terminal);
  const saves = await saveTeams(bots, match, game, seed, terminal);
  const joins = await joinContests(bots, contests, terminal);

  await day.onJoined?.(match, contests);
  await day.deadline();
  await showRefusedEdit(bots[0]!, match, game, seed, terminal);
  const commitment = await untilLocked(admin, match);
  terminal.say(`Locked: ${commitment.leafCount} teams, Merkle root ${commitment.rootHex}`);

  const mega = contests[0]!.id;
  const feed = { baseUrl: node.url, matchId: match, feedSecret, nowMs: () => node.clock.nowMs(), send: node.send };
  // Whoever watches wants to read each ball; nobody wants to wait for a match that nobody watches.
  const pauseMs = () => ballPauseMs(node.sockets.openCount > 0 ? day.visitorSpeed : day.speed);
  const balls = await replay(feed, game, admin, mega, pauseMs, terminal, day.onEvent);
  await untilState(admin, match, "review");
  expectStatus(await admin.post(`/v1/admin/matches/${match}/approve`, {}), 200, "approve the result");
  const final = expectStatus(await admin.get(`/v1/contests/${mega}/leaderboard?top=10`), 200, "final board").body;
  const released = expectStatus(await admin.post(`/v1/admin/matches/${match}/release`, {}), 200, "release prizes").body;
  return { contests, released: released.contests, finalRows: final.rows, saves, joins, balls };
}

export async function openMatch(admin: ApiClient, game: CricsheetMatch, startMs: number): Promise<MatchId> {
  const { name, sides, format, scoringRules } = game.facts;
  const created = expectStatus(
    await admin.post("/v1/admin/matches", {
      name,
      sides,
      format,
      startMs,
      scoringRules,
      rosterRules: ROSTER_RULES_NAME,
    }),
    201,
    "create the match",
  );
  const match = matchId(created.body.id);
  expectStatus(await admin.put(`/v1/admin/matches/${match}/squad`, game.squad), 200, "put the squad");
  expectStatus(
    await admin.post(`/v1/admin/matches/${match}/announce`, { players: game.startingXi }),
    200,
    "announce the XI",
  );
  return match;
}

export type OpenContest = PlannedContest & { readonly id: ContestId };

async function openContests(admin: ApiClient, planned: readonly PlannedContest[]): Promise<OpenContest[]> {
  const opened: OpenContest[] = [];
  for (const contest of planned) {
    const created = expectStatus(await admin.post("/v1/admin/contests", contest.terms), 201, contest.terms.name);
    opened.push({ ...contest, id: contestId(created.body.id) });
  }
  return opened;
}

export async function deposit(bots: readonly Actor[], sandboxUrl: string, terminal: Terminal): Promise<void> {
  let done = 0;
  await concurrently(bots, WIDTH, async ({ api }) => {
    const order = expectStatus(await api.post("/v1/wallet/deposits", { amountPaise: DEPOSIT_PAISE }), 201, "deposit");
    const paid = await fetch(`${sandboxUrl}/sandbox/orders/${order.body.providerOrderId}/pay`, { method: "POST" });
    if (!paid.ok) throw new Error(`the sandbox did not take the payment of order ${order.body.orderId}`);
    let state: string = order.body.state;
    while (state === "created") {
      await Bun.sleep(20);
      state = expectStatus(await api.get(`/v1/wallet/deposits/${order.body.orderId}`), 200, "deposit").body.state;
    }
    if (state !== "credited") throw new Error(`deposit ${order.body.orderId} is ${state}`);
    terminal.draw([`deposits  ${progressBar(++done, bots.length)}`]);
  });
  terminal.say(`${bots.length} bots deposited ${formatPaise(DEPOSIT_PAISE)} each through the payment sandbox`);
}

async function saveTeams(
  bots: readonly Actor[],
  match: MatchId,
  game: CricsheetMatch,
  seed: number,
  terminal: Terminal,
): Promise<Latencies> {
  const rosters = announcedRosters(game);
  const saves = new Latencies();
  let done = 0;
  await concurrently(bots, WIDTH, async ({ api }, bot) => {
    for (const { teamNo, draft } of teamsOf(bot, rosters, seed)) {
      expectStatus(await saves.time(() => api.post("/v1/teams", { matchId: match, teamNo, ...draft })), 200, "save");
    }
    terminal.draw([`teams     ${progressBar(++done, bots.length)}`]);
  });
  terminal.say(`${saves.count} teams saved and edited: ${saves.summary()}`);
  return saves;
}

/** What a bot saves, in this order. */
export function teamsOf(bot: number, rosters: RandomRosters, seed: number): { teamNo: number; draft: RosterDraft }[] {
  // A generator of its own for each bot keeps its teams the same whatever the others do.
  const random = seededRandom(seed * 1_000_003 + bot);
  const numbers = Array.from({ length: teamCountOf(bot) }, (_, index) => index + 1);
  // Every second bot has second thoughts about its first team.
  return (bot % 2 === 0 ? [...numbers, 1] : numbers).map((teamNo) => ({ teamNo, draft: rosters.draw(random) }));
}

async function joinContests(
  bots: readonly Actor[],
  contests: readonly OpenContest[],
  terminal: Terminal,
): Promise<Latencies> {
  const joins = new Latencies();
  const all = contests.flatMap(({ id, terms, joins: seats }) => seats.map((seat) => ({ id, terms, ...seat })));
  let done = 0;
  await concurrently(all, WIDTH, async ({ id, terms, bot, teamNo }) => {
    const answer = await joins.time(() =>
      bots[bot]!.api.post(
        `/v1/contests/${id}/join`,
        { teamNo, ...(terms.inviteCode === null ? {} : { inviteCode: terms.inviteCode }) },
        { "idempotency-key": crypto.randomUUID() },
      ),
    );
    expectStatus(answer, 200, `join ${terms.name}`);
    terminal.draw([`joins     ${progressBar(++done, all.length)}`]);
  });
  terminal.say(`${all.length} entries in ${contests.length} contests: ${joins.summary()}`);
  return joins;
}

export const announcedRosters = (game: CricsheetMatch): RandomRosters => {
  const playing = new Set(game.startingXi);
  const players = game.squad.players.map((player) => ({ ...player, announced: playing.has(player.id) }));
  return new RandomRosters({ players }, ROSTER_RULES[ROSTER_RULES_NAME]!);
};

async function showRefusedEdit(
  bot: Actor,
  match: MatchId,
  game: CricsheetMatch,
  seed: number,
  terminal: Terminal,
): Promise<void> {
  const draft = announcedRosters(game).draw(seededRandom(seed));
  const late = expectStatus(await bot.api.post("/v1/teams", { matchId: match, teamNo: 1, ...draft }), 423, "late edit");
  terminal.say(`The deadline has passed. A late edit is refused: ${late.status} ${late.body.code}`);
}

/** Until the boards stand: before that ranks are "loading". */
async function untilLocked(admin: ApiClient, match: MatchId): Promise<{ leafCount: number; rootHex: string }> {
  for (;;) {
    const answer = await admin.get(`/v1/matches/${match}/commitment`);
    if (answer.status !== 409 && answer.status !== 503) return expectStatus(answer, 200, "commitment").body;
    await Bun.sleep(20);
  }
}

async function untilState(admin: ApiClient, match: MatchId, state: string): Promise<void> {
  for (;;) {
    const { body } = expectStatus(await admin.get(`/v1/matches/${match}`), 200, "match");
    if (body.state === state) return;
    await Bun.sleep(20);
  }
}

async function replay(
  feed: FeedTarget,
  game: CricsheetMatch,
  admin: ApiClient,
  mega: ContestId,
  pause: () => number,
  terminal: Terminal,
  onEvent: MatchDay["onEvent"],
): Promise<Latencies> {
  const posts = new Latencies();
  let last = "";
  for (const [index, event] of game.events.entries()) {
    await onEvent?.(index);
    await posts.time(() => postFeedEvent(feed, event));
    const pauseMs = pause();
    if (pauseMs >= 1) await Bun.sleep(pauseMs);
    if (pauseMs < 1 && index % 25 !== 0 && index !== game.events.length - 1) continue;
    const [board, commentary] = await Promise.all([
      admin.get(`/v1/contests/${mega}/leaderboard?top=10`),
      admin.get(`/v1/matches/${feed.matchId}/commentary?count=1`),
    ]);
    if (commentary.status === 200) last = commentary.body.lines[0]?.text ?? last;
    terminal.draw([
      `match     ${progressBar(index + 1, game.events.length)}`,
      `          ${last}`,
      ...(board.status === 200 ? boardLines(board.body.rows) : []),
    ]);
  }
  return posts;
}

export interface ShownRow {
  readonly entryId: number;
  readonly rank: number;
  readonly userName: string;
  readonly teamNo: number;
  readonly points: number;
  readonly prizePaise: number;
}

export const boardLines = (rows: readonly ShownRow[]): string[] =>
  table(
    rows.map((row) => [
      `#${row.rank}`,
      `${row.userName} T${row.teamNo}`,
      row.points.toFixed(2),
      formatPaise(paise(row.prizePaise)),
    ]),
    [0, 2, 3],
  );
