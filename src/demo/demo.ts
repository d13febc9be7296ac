import { rmSync } from "node:fs";
import { join } from "node:path";
import { type Config, limits } from "../config.ts";
import type { ContestId } from "../domain/ids.ts";
import { formatPaise, paise } from "../domain/money.ts";
import { type Node, startNode } from "../main.ts";
import { adaptCricsheet, type CricsheetMatch } from "../stream/cricsheet.ts";
import { generateMatch } from "../stream/match-generator.ts";
import { type Actor, openActor } from "./actor.ts";
import { DemoClock } from "./demo-clock.ts";
import { boardLines, type MatchDayResult, playMatchDay } from "./match-day.ts";
import { playAlong } from "./play-along.ts";
import { readCricsheetFile } from "./replay.ts";
import { table, Terminal } from "./terminal.ts";

export interface DemoOptions {
  readonly config: Config;
  readonly botCount: number;
  readonly seed: number;
  /** A Cricsheet file to play instead of a generated match. */
  readonly matchFile: string | null;
  /** Times real time. */
  readonly speed: number;
  /** As `speed`, while somebody has the app open. */
  readonly visitorSpeed: number;
  /** From a match's appearance to its deadline, for whoever has the app open. */
  readonly visitorWindowMs: number;
}

export interface DemoResult {
  readonly node: Node;
  readonly url: string;
  readonly contests: readonly { readonly contestId: ContestId; readonly outcome: string; readonly paidPaise: number }[];
  /** Entry ids and scores of the mega contest's top ten: the same for the same seed. */
  readonly topTen: readonly { readonly entryId: number; readonly points: number; readonly rank: number }[];
  /** A match after the other while somebody is there, until the signal. */
  readonly playAlong: (signal: AbortSignal) => Promise<void>;
}

/**
 * Plays one match from an empty disk to paid-out prizes and keeps the node. It waits for nothing but work, its clock jumping
 * to the deadline when the last bot has joined; but where somebody has the app open, it gives them until the real deadline.
 */
export async function playDemo(options: DemoOptions, terminal = new Terminal()): Promise<DemoResult> {
  const startedMs = performance.now();
  const { config, botCount, seed, speed, visitorSpeed, visitorWindowMs } = options;
  const dataDir = join(config.dataDir, "demo");
  rmSync(dataDir, { recursive: true, force: true });
  const clock = new DemoClock();
  const node = await startNode({ ...config, dataDir }, { clock, sampleEveryMs: 1_000 });
  const game = await chooseMatch(options);
  terminal.say(`Powerplay is at ${node.url}, its data in ${dataDir}, kernel ${node.kernelName}`);
  terminal.say(`${game.facts.name} · ${game.facts.scoringRules} rules · ${game.events.length} events · seed ${seed}`);
  terminal.say("Open the address to play along: the match waits for whoever is there when the bots have joined.");

  const admin = await openActor(node, "demo-admin", "admin");
  const bots = await openBots(node, botCount);
  const feedSecret = config.secrets.feed;
  // Near enough that a feed provider's clock stays within the replay window when ours jumps to the deadline.
  const startMs = clock.nowMs() + Math.max(visitorWindowMs, 60_000 + botCount * 10);
  const deadline = () => visitorsOrJump(node, clock, startMs, terminal);
  const day = { node, admin, terminal, feedSecret, game, bots, seed, startMs, speed, visitorSpeed, deadline };
  const played = await playMatchDay(day);

  await printSummary({
    node,
    terminal,
    played,
    lines: [
      ["saves", `${played.saves.count} acknowledged, ${played.saves.summary()}`],
      ["joins", `${played.joins.count} acknowledged, ${played.joins.summary()}`],
      ["feed", `${game.events.length} events, ${played.balls.summary()} from post to durable`],
      ["time", `${((performance.now() - startedMs) / 1_000).toFixed(1)} s`],
    ],
  });
  return {
    node,
    url: node.url,
    contests: played.released,
    topTen: played.finalRows.map(({ entryId, points, rank }) => ({ entryId, points, rank })),
    playAlong: (signal) =>
      playAlong(
        { ...day, bots: bots.slice(0, limits.demo.playAlongBotsMax) },
        visitorWindowMs,
        chooseGenerated,
        signal,
      ),
  };
}

/** Real time for people, none for nobody. */
async function visitorsOrJump(node: Node, clock: DemoClock, startMs: number, terminal: Terminal): Promise<void> {
  while (clock.nowMs() < startMs) {
    if (node.sockets.openCount === 0) clock.advanceTo(startMs);
    else {
      const leftS = Math.ceil((startMs - clock.nowMs()) / 1_000);
      terminal.draw([`visitors  ${node.sockets.openCount} looking around, the deadline is in ${leftS} s`]);
      await Bun.sleep(Math.min(limits.demo.visitorPollMs, startMs - clock.nowMs()));
    }
  }
}

const chooseMatch = ({ matchFile, seed }: DemoOptions): Promise<CricsheetMatch> | CricsheetMatch =>
  matchFile === null ? chooseGenerated(seed) : readCricsheetFile(matchFile);

function chooseGenerated(seed: number): CricsheetMatch {
  const adapted = adaptCricsheet(generateMatch(seed));
  if (!adapted.ok) throw new Error(`the generated match of seed ${seed} is broken: ${JSON.stringify(adapted.faults)}`);
  return adapted.match;
}

/** In order, so that the same bot has the same id in every run; they need no password. */
const openBots = (node: Node, botCount: number): Promise<Actor[]> =>
  Promise.all(
    Array.from({ length: botCount }, (_, index) =>
      openActor(node, `bot-${String(index + 1).padStart(4, "0")}`, "user"),
    ),
  );

async function printSummary(summary: {
  readonly node: Node;
  readonly terminal: Terminal;
  readonly played: MatchDayResult;
  readonly lines: readonly (readonly [string, string])[];
}): Promise<void> {
  const { node, terminal } = summary;
  const { contests, finalRows, released } = summary.played;
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
