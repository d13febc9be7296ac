import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../config.ts";
import { type ContestId, contestId, type MatchId, matchId, type UserId } from "../domain/ids.ts";
import { formatPaise, paise } from "../domain/money.ts";
import { seededRandom } from "../domain/random.ts";
import { ROSTER_RULES } from "../domain/roster.ts";
import type { Node } from "../main.ts";
import { startNode } from "../main.ts";
import { adaptCricsheet, type CricsheetMatch } from "../stream/cricsheet.ts";
import { generateMatch } from "../stream/match-generator.ts";
import { ApiClient, expectStatus } from "./api-client.ts";
import { concurrently } from "./concurrently.ts";
import { DemoClock } from "./demo-clock.ts";
import { Latencies } from "./latencies.ts";
import { DEPOSIT_PAISE, type PlannedContest, planContests, teamCountOf } from "./plan.ts";
import { RandomRosters } from "./random-roster.ts";
import { ballPauseMs, type FeedTarget, postFeedEvent, readCricsheetFile } from "./replay.ts";
import { progressBar, table, Terminal } from "./terminal.ts";

export interface DemoOptions {
  readonly config: Config;
  readonly botCount: number;
  readonly seed: number;
  /** A Cricsheet file to play instead of a generated match. */
  readonly matchFile: string | null;
  /** Times real time. */
  readonly speed: number;
}

export interface DemoResult {
  readonly node: Node;
  readonly url: string;
  readonly contests: readonly { readonly contestId: ContestId; readonly outcome: string; readonly paidPaise: number }[];
  /** Entry ids and scores of the mega contest's top ten: the same for the same seed. */
  readonly topTen: readonly { readonly entryId: number; readonly points: number; readonly rank: number }[];
}

interface Bot {
  readonly id: UserId;
  readonly api: ApiClient;
}

/** Requests under way at once: enough to fill group commits, few enough for one process to play both sides. */
const WIDTH = 64;
const ROSTER_RULES_NAME = "modern";

/**
 * Plays one match from an empty disk to paid-out prizes, through the HTTP API as apps and a feed provider would, and keeps
 * the node. It waits for nothing but work: its clock jumps to the deadline when the last bot has joined.
 */
export async function playDemo(options: DemoOptions, terminal = new Terminal()): Promise<DemoResult> {
  const startedMs = performance.now();
  const { config, botCount, seed } = options;
  const dataDir = join(config.dataDir, "demo");
  rmSync(dataDir, { recursive: true, force: true });
  const clock = new DemoClock();
  const node = await startNode({ ...config, dataDir }, { clock, sampleEveryMs: 1_000 });
  const game = await chooseMatch(options);
  terminal.say(`Powerplay is at ${node.url}, its data in ${dataDir}, kernel ${node.kernelName}`);
  terminal.say(`${game.facts.name} · ${game.facts.scoringRules} rules · ${game.events.length} events · seed ${seed}`);

  const admin = await openAdmin(node);
  // Near enough that a feed provider's clock stays within the replay window when ours jumps to the deadline.
  const startMs = clock.nowMs() + 60_000 + botCount * 10;
  const match = await openMatch(admin, game, startMs);
  const contests = await openContests(admin, planContests(match, botCount));
  const bots = await openBots(node, botCount);
  await deposit(bots, node.sandboxUrl!, terminal);
  const { saves, saveCount } = await saveTeams(bots, match, game, seed, terminal);
  const { joins, joinCount } = await joinContests(bots, contests, terminal);

  clock.advanceTo(startMs);
  await showRefusedEdit(bots[0]!, match, game, seed, terminal);
  const commitment = await untilLocked(admin, match);
  terminal.say(`Locked: ${commitment.leafCount} teams, Merkle root ${commitment.rootHex}`);

  const mega = contests[0]!.id;
  const feed = { baseUrl: node.url, matchId: match, feedSecret: config.secrets.feed, nowMs: () => clock.nowMs() };
  const balls = await replay(feed, game, admin, mega, options.speed, terminal);
  await untilState(admin, match, "review");
  expectStatus(await admin.post(`/v1/admin/matches/${match}/approve`, {}), 200, "approve the result");
  const final = expectStatus(await admin.get(`/v1/contests/${mega}/leaderboard?top=10`), 200, "final board").body;
  const released = expectStatus(await admin.post(`/v1/admin/matches/${match}/release`, {}), 200, "release prizes").body;

  await printSummary({
    node,
    terminal,
    finalRows: final.rows,
    released: released.contests,
    contests,
    lines: [
      ["saves", `${saveCount} acknowledged, ${saves.summary()}`],
      ["joins", `${joinCount} acknowledged, ${joins.summary()}`],
      ["feed", `${game.events.length} events, ${balls.summary()} from post to durable`],
      ["time", `${((performance.now() - startedMs) / 1_000).toFixed(1)} s`],
    ],
  });
  return {
    node,
    url: node.url,
    contests: released.contests,
    topTen: final.rows.map(({ entryId, points, rank }: DemoResult["topTen"][number]) => ({ entryId, points, rank })),
  };
}

async function chooseMatch({ matchFile, seed }: DemoOptions): Promise<CricsheetMatch> {
  if (matchFile !== null) return readCricsheetFile(matchFile);
  const adapted = adaptCricsheet(generateMatch(seed));
  if (!adapted.ok) throw new Error(`the generated match of seed ${seed} is broken: ${JSON.stringify(adapted.faults)}`);
  return adapted.match;
}

async function openAdmin(node: Node): Promise<ApiClient> {
  const created = await node.catalog.createUser({
    name: "demo-admin",
    role: "admin",
    passwordHash: null,
    createdAtMs: node.clock.nowMs(),
  });
  if (!created.ok) throw new Error("the demo starts from an empty disk, yet there is an admin");
  const { accessToken } = await node.tokens.issue(created.user);
  return new ApiClient(node.url, accessToken);
}

async function openMatch(admin: ApiClient, game: CricsheetMatch, startMs: number): Promise<MatchId> {
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

type OpenContest = PlannedContest & { readonly id: ContestId };

async function openContests(admin: ApiClient, planned: readonly PlannedContest[]): Promise<OpenContest[]> {
  const opened: OpenContest[] = [];
  for (const contest of planned) {
    const created = expectStatus(await admin.post("/v1/admin/contests", contest.terms), 201, contest.terms.name);
    opened.push({ ...contest, id: contestId(created.body.id) });
  }
  return opened;
}

/** Bots are created in order, so that the same bot has the same id in every run; they need no password. */
async function openBots(node: Node, botCount: number): Promise<Bot[]> {
  const createdAtMs = node.clock.nowMs();
  const anonymous = new ApiClient(node.url);
  return Promise.all(
    Array.from({ length: botCount }, async (_, index) => {
      const name = `bot-${String(index + 1).padStart(4, "0")}`;
      const created = await node.catalog.createUser({ name, role: "user", passwordHash: null, createdAtMs });
      if (!created.ok) throw new Error(`there is a user "${name}" already`);
      const { accessToken } = await node.tokens.issue(created.user);
      return { id: created.user.id, api: anonymous.as(accessToken) };
    }),
  );
}

async function deposit(bots: readonly Bot[], sandboxUrl: string, terminal: Terminal): Promise<void> {
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
  bots: readonly Bot[],
  match: MatchId,
  game: CricsheetMatch,
  seed: number,
  terminal: Terminal,
): Promise<{ saves: Latencies; saveCount: number }> {
  const rosters = announcedRosters(game);
  const saves = new Latencies();
  let done = 0;
  await concurrently(bots, WIDTH, async ({ api }, bot) => {
    // A generator of its own for each bot keeps its teams the same whatever the others do.
    const random = seededRandom(seed * 1_000_003 + bot);
    const numbers = Array.from({ length: teamCountOf(bot) }, (_, index) => index + 1);
    // Every second bot has second thoughts about its first team.
    for (const teamNo of bot % 2 === 0 ? [...numbers, 1] : numbers) {
      const draft = rosters.draw(random);
      expectStatus(await saves.time(() => api.post("/v1/teams", { matchId: match, teamNo, ...draft })), 200, "save");
    }
    terminal.draw([`teams     ${progressBar(++done, bots.length)}`]);
  });
  terminal.say(`${saves.count} teams saved and edited: ${saves.summary()}`);
  return { saves, saveCount: saves.count };
}

async function joinContests(
  bots: readonly Bot[],
  contests: readonly OpenContest[],
  terminal: Terminal,
): Promise<{ joins: Latencies; joinCount: number }> {
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
  return { joins, joinCount: all.length };
}

const announcedRosters = (game: CricsheetMatch): RandomRosters => {
  const playing = new Set(game.startingXi);
  const players = game.squad.players.map((player) => ({ ...player, announced: playing.has(player.id) }));
  return new RandomRosters({ players }, ROSTER_RULES[ROSTER_RULES_NAME]!);
};

async function showRefusedEdit(
  bot: Bot,
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
  speed: number,
  terminal: Terminal,
): Promise<Latencies> {
  const posts = new Latencies();
  const pauseMs = ballPauseMs(speed);
  let last = "";
  for (const [index, event] of game.events.entries()) {
    await posts.time(() => postFeedEvent(feed, event));
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

interface ShownRow {
  readonly rank: number;
  readonly userName: string;
  readonly teamNo: number;
  readonly points: number;
  readonly prizePaise: number;
}

const boardLines = (rows: readonly ShownRow[]): string[] =>
  table(
    rows.map((row) => [
      `#${row.rank}`,
      `${row.userName} T${row.teamNo}`,
      row.points.toFixed(2),
      formatPaise(paise(row.prizePaise)),
    ]),
    [0, 2, 3],
  );

async function printSummary(summary: {
  readonly node: Node;
  readonly terminal: Terminal;
  readonly finalRows: readonly ShownRow[];
  readonly released: readonly { contestId: number; outcome: string; entryCount: number; paidPaise: number }[];
  readonly contests: readonly OpenContest[];
  readonly lines: readonly (readonly [string, string])[];
}): Promise<void> {
  const { node, terminal, finalRows, released, contests } = summary;
  terminal.say();
  terminal.say("Winners of the Mega Contest");
  for (const line of boardLines(finalRows)) terminal.say(`  ${line}`);
  const settled = released.filter((contest) => contest.outcome === "settled");
  const refunded = released.filter((contest) => contest.outcome === "refunded");
  const refundedNames = refunded.map(({ contestId }) => contests.find(({ id }) => id === contestId)?.terms.name);
  const audit = await node.ledger.audit();
  const { deposit = 0, prize = 0, refund = 0, join = 0, margin = 0, prize_fund = 0 } = audit.totalsPaise;
  const money = (amount: number) => formatPaise(paise(amount));
  terminal.say();
  for (const line of table(
    [
      ["contests", `${settled.length} settled, ${refunded.length} refunded (${refundedNames.join(", ")})`],
      ["money in", `${money(deposit)} deposited, ${money(join)} paid in entry fees`],
      ["money out", `${money(prize)} in prizes, ${money(refund)} refunded`],
      ["pools", `${money(prize_fund)} moved into prize pools, ${money(margin)} left to the house`],
      [
        "ledger",
        `${audit.transferCount} transfers over ${audit.accountCount} accounts, sum ${money(audit.sumPaise)}, ` +
          `${audit.differences.length} differences`,
      ],
      ...summary.lines,
    ],
    [],
  )) {
    terminal.say(`  ${line}`);
  }
  if (audit.sumPaise !== 0 || audit.differences.length > 0) throw new Error("the ledger does not balance");
}
