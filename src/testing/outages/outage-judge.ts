import { limits } from "../../config.ts";
import { userAccount } from "../../domain/account.ts";
import type { FeedEvent } from "../../domain/feed.ts";
import {
  type ContestId,
  type EntryId,
  entryId,
  type MatchId,
  teamNo,
  teamOfEntry,
  userOfEntry,
} from "../../domain/ids.ts";
import type { Match } from "../../domain/match.ts";
import { rosterDraft } from "../../domain/roster.ts";
import { createMatchScore } from "../../domain/scoring/sports.ts";
import { type EventLog, forEachRecord, type Topic, TOPICS } from "../../stores/event-log/port.ts";
import { openStores, type Stores } from "../../stores/open.ts";
import { decodeTeamSave, isSpooled, type TeamSave } from "../../stream/records.ts";
import { decodeScoreRecord } from "../../stream/score-event.ts";
import { announcedEntries } from "../../transaction/announced-entries.ts";
import { reconcile } from "../../transaction/reconcile.ts";
import { type OutageLoad, rosterKey, type ShownPage } from "./outage-load.ts";
import { FUNDS_PAISE, type OutageStage, type StagedMatch } from "./outage-stage.ts";

export interface Verdict {
  /** Sentences, each a promise that was not kept. */
  readonly violations: readonly string[];
  /** Records of the log that say again what one before them said. */
  readonly repeatedSaves: number;
  readonly repeatedBalls: number;
}

interface Save extends TeamSave {
  readonly offset: number;
  readonly partition: number;
  readonly isSpooled: boolean;
}

/**
 * Judges a run by what it left: acknowledgements against the log and the stores, wallets against entries, boards against a
 * plain sum and a plain count. It closes the stage's node, for the log is read with another one's eyes.
 */
export async function judge(stage: OutageStage, load: OutageLoad): Promise<Verdict> {
  const violations: string[] = [...load.lies];
  const say = (sentence: string) => violations.push(sentence);
  const shown = new Map<ContestId, ShownPage>();
  for (const { contests } of [stage.live, stage.due]) shown.set(contests[0]!.id, await pageOf(stage, contests[0]!.id));
  await judgeVersions(stage, load, say);
  const followed = load.follow.view;
  await stage.node.stop();
  const stores = await openStores(stage.config);
  try {
    const saves = await savesOf(stores.log);
    const balls = await ballsOf(stores.log);
    judgeSaves(stage, load, saves, say);
    const known = new Set(
      balls.filter(({ match }) => match === stage.live.match.id).map(({ event }) => ballKey(event)),
    );
    for (const ball of load.balls) if (!known.has(ballKey(ball))) say(`ball ${ball.id} was acknowledged and is lost`);
    await judgeMoney(stage, load, stores, say);
    for (const staged of [stage.live, stage.due]) {
      const truth = await truthOf(stage, stores, staged, saves, balls);
      const contest = staged.contests[0]!.id;
      judgePage(`contest ${contest}`, shown.get(contest)!, truth.at(truth.newest), say);
      if (staged !== stage.live) continue;
      for (const page of load.pages.values()) judgePage(`ranks as read`, page, truth.at(page.pointsVersion), say);
      const { rows } = truth.at(truth.newest);
      for (const own of followed?.own ?? []) {
        if (rows.get(own.entryId) !== `${own.rank} with ${own.scoreQp}`) say(`the follower's ${own.entryId} is false`);
      }
      if (followed === null || followed.own.length === 0) say("the follower sees nothing of his own");
    }
    return {
      violations,
      repeatedSaves:
        saves.length -
        new Set(saves.map((save) => JSON.stringify([save.entryId, save.serverTsMs, [...save.roster]]))).size,
      repeatedBalls: balls.length - new Set(balls.map(({ match, event }) => `${match} ${ballKey(event)}`)).size,
    };
  } finally {
    await stores.close();
  }
}

type Say = (sentence: string) => void;

const ballKey = ({ id, version }: FeedEvent): string => `${id} ${version}`;

async function pageOf(stage: OutageStage, contest: ContestId): Promise<ShownPage> {
  for (;;) {
    const response = await fetch(`${stage.node.url}/v1/contests/${contest}/leaderboard?fromRank=1&count=100`);
    const page = (await response.json()) as ShownPage;
    if (response.status === 200) return page;
    if (response.status !== 503) throw new Error(`contest ${contest} answers ${response.status}`);
  }
}

/** Every acknowledged save is a version of its team. */
async function judgeVersions({ node, squad }: OutageStage, load: OutageLoad, say: Say): Promise<void> {
  const versions = new Map<string, Promise<Set<string>>>();
  for (const { user, match, team, draft, acknowledged } of load.saves) {
    const key = `${user} ${match} ${team}`;
    const stored =
      versions.get(key) ??
      node.game.teams
        .versions(user, match, teamNo(team))
        .then((rows) => new Set(rows.map(({ roster }) => rosterKey(rosterDraft(roster, squad)))));
    versions.set(key, stored);
    if (acknowledged && !(await stored).has(rosterKey(draft)))
      say(`a save of team ${key} was acknowledged and is no version`);
  }
}

async function eachRecord(
  log: EventLog,
  topic: Topic,
  visit: (value: Uint8Array, offset: number, partition: number) => void,
) {
  for (let partition = 0; partition < TOPICS[topic].partitionCount; partition++) {
    const end = await log.endOffset(topic, partition);
    for (let offset = 0; offset < end;) {
      const batch = await log.read(topic, partition, offset, 1 << 24, 1_000);
      forEachRecord(batch, (value, at) => visit(value, at, partition));
      offset = batch.firstOffset + batch.ends.length;
    }
  }
}

async function savesOf(log: EventLog): Promise<Save[]> {
  const saves: Save[] = [];
  await eachRecord(log, "team-saves", (value, offset, partition) =>
    saves.push({ ...decodeTeamSave(value), offset, partition, isSpooled: isSpooled(value) }),
  );
  return saves;
}

async function ballsOf(log: EventLog) {
  const balls: { readonly match: MatchId; readonly event: FeedEvent; readonly version: number }[] = [];
  await eachRecord(log, "score-events", (value, offset) => {
    const record = decodeScoreRecord(value);
    if (record.kind === "event") balls.push({ match: record.matchId, event: record.event, version: offset + 1 });
  });
  return balls;
}

/** The log's last word on each team is the last that was acknowledged, or one that was tried after it. */
function judgeSaves({ squad, due, users }: OutageStage, load: OutageLoad, saves: readonly Save[], say: Say): void {
  const newest = newestOf(saves);
  for (const { user, match, team, acknowledged } of load.saves) {
    // Of the match that was locked meanwhile, what came late was refused; its board is judged.
    if (!acknowledged || match === due.match.id) continue;
    const last = newest.get(`${match} ${entryId(user, teamNo(team))}`);
    if (last === undefined) say(`team ${team} of user ${user} was acknowledged and is not in the log`);
    else if (!load.possible(user, match, team).includes(rosterKey(rosterDraft(last.roster, squad)))) {
      say(`the log ends with another team ${team} of user ${user} than was acknowledged`);
    }
  }
  for (const { entryId: entry } of saves) {
    if (!users.some(({ id }) => id === userOfEntry(entry))) say(`nobody saved team ${entry}`);
  }
}

/** By match and entry. One out of a spool counts where none of a later time stands before it. */
function newestOf(saves: readonly Save[]): Map<string, Save> {
  const newest = new Map<string, Save>();
  for (const save of saves) {
    const key = `${save.matchId} ${save.entryId}`;
    const before = newest.get(key);
    if (before === undefined || !save.isSpooled || save.serverTsMs >= before.serverTsMs) newest.set(key, save);
  }
  return newest;
}

/** Each wallet lacks what its entries cost and nothing else; each entry was asked for, each acknowledged one is there. */
async function judgeMoney(stage: OutageStage, load: OutageLoad, stores: Stores, say: Say): Promise<void> {
  const { catalog, ledger, log } = stores;
  const entries = new Set<string>();
  const costs = new Map<number, number>();
  for (const { contests } of [stage.open, stage.due, stage.live]) {
    for (const { id } of contests) {
      const contest = (await catalog.contest(id))!;
      const own = await catalog.entriesOfContest(id, 0, 1_000_000);
      if (contest.seatsTaken !== own.length) say(`contest ${id} holds ${contest.seatsTaken} seats for ${own.length}`);
      for (const { entryId: entry } of own) {
        const user = userOfEntry(entry);
        entries.add(`${id} ${entry}`);
        costs.set(user, (costs.get(user) ?? 0) + contest.entryFeePaise);
        const isOfTheLoad = contest.matchId !== stage.live.match.id;
        if (isOfTheLoad && !load.joinAttempts.has(`${user} ${id} ${teamOfEntry(entry)}`))
          say(`nobody asked for ${entry}`);
      }
    }
  }
  for (const { contest, entry } of load.joins) {
    if (!entries.has(`${contest} ${entry}`)) say(`entry ${entry} of contest ${contest} was acknowledged and is lost`);
  }
  for (const { id } of stage.users) {
    const [balance] = await ledger.balances([userAccount(id)]);
    const due = FUNDS_PAISE - (costs.get(id) ?? 0);
    if (balance !== due) say(`user ${id} has ${balance} paise instead of ${due}`);
  }
  const boardCounts = (match: Match) => announcedEntries(log, match);
  const report = await reconcile({ ...stores, boardCounts, settlementRows: null, ...limits.reconcile });
  for (const { kind, subject, expected, actual } of report.differences) {
    say(`reconciliation: ${kind} of ${subject} is ${actual}, expected ${expected}`);
  }
}

interface Standing {
  /** Rank and score by entry. */
  readonly rows: ReadonlyMap<EntryId, string>;
}

/** The standing of a contest after any ball, by adding up and counting. */
async function truthOf(
  { squad }: OutageStage,
  { catalog }: Stores,
  { contests, match }: StagedMatch,
  saves: readonly Save[],
  balls: Awaited<ReturnType<typeof ballsOf>>,
) {
  const ends = await catalog.lockPositions(match.id);
  const inTime = newestOf(
    saves.filter(
      (one) => one.matchId === match.id && one.serverTsMs < match.startMs && one.offset < ends![one.partition]!,
    ),
  );
  const rosters = (await catalog.entriesOfContest(contests[0]!.id, 0, 1_000_000)).map(({ entryId: entry }) => {
    const save = inTime.get(`${match.id} ${entry}`);
    if (save === undefined) {
      const known = saves.filter((one) => one.matchId === match.id && one.entryId === entry);
      const told = known.map(({ isSpooled, offset, serverTsMs }) => ({ isSpooled, offset, serverTsMs }));
      throw new Error(
        `entry ${entry} of match ${match.id} (${match.startMs}) has no team in time: ${JSON.stringify(told)}, ends ${ends!.join()}`,
      );
    }
    return [entry, [...save.roster]] as const;
  });
  const score = createMatchScore(match.scoringRules, squad);
  const points = new Map<number, number[]>([[0, Array.from(score.points())]]);
  for (const { event, version, match: of } of balls) {
    if (of === match.id && score.apply(event).applied) points.set(version, Array.from(score.points()));
  }
  const newest = Math.max(...points.keys());
  const at = (version: number): Standing => {
    const vector = points.get(version);
    if (vector === undefined) return { rows: new Map() };
    const scored = rosters.map(([entry, [captain, viceCaptain, ...others]]) => ({
      entry,
      score: others.reduce((sum, index) => sum + vector[index]!, vector[captain!]! * 2 + vector[viceCaptain!]! * 1.5),
    }));
    const rank = (own: number) => 1 + scored.filter((other) => other.score > own).length;
    return { rows: new Map(scored.map((one) => [one.entry, `${rank(one.score)} with ${one.score}`])) };
  };
  return { newest, at };
}

const QP_A_POINT = 4;

function judgePage(what: string, page: ShownPage, { rows }: Standing, say: Say): void {
  if (page.rows.length !== rows.size)
    say(`${what} shows ${page.rows.length} rows of ${rows.size} at ${page.pointsVersion}`);
  for (const { entryId: entry, rank, points } of page.rows) {
    if (rows.get(entry) !== `${rank} with ${points * QP_A_POINT}`) {
      say(
        `${what}: ${entry} is ${rows.get(entry)}, shown as ${rank} with ${points * QP_A_POINT} at ${page.pointsVersion}`,
      );
    }
  }
}
