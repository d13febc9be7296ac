import {
  type AccountId,
  escrowAccount,
  gatewayAccount,
  houseAccount,
  payoutHoldAccount,
  prizeAccount,
  userAccount,
  voidAccount,
} from "../domain/account.ts";
import type { Contest } from "../domain/contest.ts";
import { type EntryId, userOfEntry, type UserId } from "../domain/ids.ts";
import type { PointsVector } from "../domain/points.ts";
import { checkRoster, type Roster, ROSTER_RULES, scoreRoster } from "../domain/roster.ts";
import type { Entry } from "../stores/catalog/port.ts";
import { forEachRecord, TOPICS } from "../stores/event-log/port.ts";
import type { LedgerLine } from "../stores/ledger/port.ts";
import { decodeContestJoin, decodeTeamSave, type TeamSave } from "../stream/records.ts";
import { announcedEntries } from "../transaction/announced-entries.ts";
import { escrowStripeCount } from "../transaction/escrow.ts";
import { reconcile } from "../transaction/reconcile.ts";
import { type SaveRequest, joinArrival, type Outcome, saveArrival } from "./simulation.ts";
import { SKEW_MS_MAX, SQUAD, START_MS } from "./simulated-game.ts";
import { scoreRecords, simulatedScore } from "./simulated-scores.ts";

/**
 * Judges of a run. They read what the run left in the stores and know nothing of how it came about: ranks are sorted again,
 * prizes computed again from the table, and what the provider and the clients remember is the other witness.
 *
 * Not judged: how long anything took; whether a refusal was the right one of two that applied.
 */
export async function violationsOf(outcome: Outcome): Promise<string[]> {
  const books = await readBooks(outcome);
  const found: string[] = [];
  const say = (sentence: string) => found.push(`seed ${outcome.seed}: ${sentence}`);
  if (outcome.unfinished !== null) say(`did not come to its end: ${outcome.unfinished}`);
  for (const bug of outcome.bugs) say(`threw ${bug instanceof Error ? (bug.stack ?? bug.message) : String(bug)}`);
  await judgeLedger(outcome, books, say);
  await judgeJoins(outcome, books, say);
  judgeDeadline(outcome, books, say);
  await judgeFeed(outcome, books, say);
  judgeLog(outcome, books, say);
  judgePrizes(outcome, books, say);
  await judgePayments(outcome, books, say);
  // The saves of a match that is abandoned before its deadline end while nodes need not ask; they count for nothing.
  if ((await outcome.stores.catalog.match(outcome.matchId))!.state !== "abandoned") {
    await judgeTeams(outcome, books, say);
    judgeSaves(outcome, books, say);
  }
  await judgeSpools(outcome, say);
  await judgeReconciliation(outcome, say);
  return found;
}

type Say = (sentence: string) => void;

interface Books {
  readonly contests: readonly Contest[];
  readonly entries: ReadonlyMap<Contest, readonly Entry[]>;
  readonly lines: ReadonlyMap<AccountId, readonly LedgerLine[]>;
  readonly announced: readonly ReturnType<typeof decodeContestJoin>[];
  /** Those that reached the log before the lock, in its order. */
  readonly saves: readonly LoggedSave[];
  /** Of these, those that count, by team, in the log's order. */
  readonly counted: ReadonlyMap<EntryId, readonly LoggedSave[]>;
  /** As the log says, up to the release. */
  readonly points: PointsVector;
  /** Ids of the feed events that count. */
  readonly events: ReadonlySet<string>;
}

interface LoggedSave extends TeamSave {
  readonly version: number;
  readonly spooled: boolean;
}

async function readBooks({ stores, matchId, users, points }: Outcome): Promise<Books> {
  const { catalog, ledger, log } = stores;
  const contests = await catalog.contests(matchId);
  const entries = new Map<Contest, readonly Entry[]>();
  for (const contest of contests) entries.set(contest, await catalog.entriesOfContest(contest.id, 0, 1e9));
  const accounts = [
    ...users.map(userAccount),
    ...contests.flatMap((contest) => [prizeAccount(contest.id), ...escrowsOf(contest)]),
    gatewayAccount,
    houseAccount,
    payoutHoldAccount,
    voidAccount,
  ];
  const lines = new Map<AccountId, readonly LedgerLine[]>();
  for (const account of accounts) lines.set(account, await ledger.history(account, { limit: 1e9 }));
  const announced: ReturnType<typeof decodeContestJoin>[] = [];
  for (let partition = 0; partition < TOPICS["contest-joins"].partitionCount; partition++) {
    const batch = await log.read("contest-joins", partition, 0, 1e9, 0);
    forEachRecord(batch, (value) => announced.push(decodeContestJoin(value)));
  }
  const saves: LoggedSave[] = [];
  const saveEnds = await catalog.lockPositions(matchId);
  for (let partition = 0; partition < TOPICS["team-saves"].partitionCount; partition++) {
    const end = saveEnds?.[partition] ?? Number.POSITIVE_INFINITY;
    const batch = await log.read("team-saves", partition, 0, 1e9, 0);
    forEachRecord(batch, (value, offset) => {
      if (offset < end) saves.push({ ...decodeTeamSave(value), version: offset + 1, spooled: value[27] === 1 });
    });
  }
  const records = await scoreRecords(log, matchId);
  const release = records.findIndex(({ kind }) => kind === "release");
  const counted = records.slice(0, release < 0 ? undefined : release);
  const events = new Set(counted.flatMap((record) => (record.kind === "event" ? [record.event.id] : [])));
  return {
    contests,
    entries,
    lines,
    announced,
    saves,
    counted: countedOf(saves),
    points: simulatedScore(counted, points),
    events,
  };
}

/** Of the saves in time each is held against all that came before it and count. */
function countedOf(saves: readonly LoggedSave[]): Map<EntryId, readonly LoggedSave[]> {
  const counted = new Map<EntryId, readonly LoggedSave[]>();
  for (const save of saves) {
    const before = counted.get(save.entryId) ?? [];
    const marginMs = save.spooled ? 0 : 2 * SKEW_MS_MAX;
    const isOvertaken = before.some((other) => other.serverTsMs - save.serverTsMs > marginMs);
    if (save.serverTsMs < START_MS && !isOvertaken) counted.set(save.entryId, [...before, save]);
  }
  return counted;
}

const escrowsOf = (contest: Contest): AccountId[] =>
  Array.from({ length: escrowStripeCount(contest) }, (_, stripe) => escrowAccount(contest.id, stripe));

const sum = (amounts: readonly number[]): number => amounts.reduce((total, amount) => total + amount, 0);
const balanceOf = (books: Books, account: AccountId): number =>
  sum(books.lines.get(account)!.map((line) => line.amountPaise));

/** Money is conserved, nobody owes, every balance is what its lines say, and the passing accounts are empty again. */
async function judgeLedger({ stores, users }: Outcome, books: Books, say: Say): Promise<void> {
  const audit = await stores.ledger.audit();
  if (audit.sumPaise !== 0) say(`the ledger sums to ${audit.sumPaise}`);
  for (const { account } of audit.differences) say(`the balance of ${account} is not what its transfers say`);
  const accounts = [...books.lines.keys()];
  const balances = await stores.ledger.balances(accounts);
  for (const [index, account] of accounts.entries()) {
    if (balances[index] !== balanceOf(books, account)) say(`${account} and its history differ`);
  }
  if (sum(balances) !== 0) say(`money is in accounts that nobody knows: ${-sum(balances)}`);
  for (const user of users) if (balanceOf(books, userAccount(user)) < 0) say(`user ${user} owes money`);
  for (const account of [payoutHoldAccount, voidAccount]) {
    if (balanceOf(books, account) !== 0) say(`${balanceOf(books, account)} paise are left in ${account}`);
  }
  for (const contest of books.contests) {
    for (const account of [prizeAccount(contest.id), ...escrowsOf(contest)]) {
      if (balanceOf(books, account) !== 0) say(`${balanceOf(books, account)} paise are left in ${account}`);
    }
  }
}

/** Seats within capacity; no debit without entry or refund; no entry without debit; what was acknowledged is there. */
async function judgeJoins({ stores, matchId, users, acknowledged }: Outcome, books: Books, say: Say): Promise<void> {
  const left = await stores.catalog.reservedJoinCount(matchId);
  if (left > 0) say(`${left} joins are neither entered nor released`);
  for (const contest of books.contests) {
    const entries = books.entries.get(contest)!;
    if (!["settled", "cancelled"].includes(contest.state)) say(`contest ${contest.id} is still ${contest.state}`);
    if (entries.length > contest.entriesMax) say(`contest ${contest.id} has ${entries.length} entries`);
    if (contest.seatsTaken !== entries.length) {
      say(`contest ${contest.id} holds ${contest.seatsTaken} seats for ${entries.length} entries`);
    }
    for (const user of users) {
      const own = entries.filter((entry) => userOfEntry(entry.entryId) === user).length;
      if (own > contest.entriesPerUserMax) say(`user ${user} has ${own} entries in contest ${contest.id}`);
      const fees = linesOf(books, user, contest, (line) => line.kind === "join");
      const debits = -sum(fees.map((line) => line.amountPaise));
      const refunds = linesOf(books, user, contest, (line) => line.kind === "refund");
      const entered = debits - sum(refunds.filter(isJoinRefund).map((line) => line.amountPaise));
      if (entered !== own * contest.entryFeePaise) {
        say(`user ${user} paid ${entered} for ${own} entries of contest ${contest.id}`);
      }
      const returned = sum(refunds.filter((line) => !isJoinRefund(line)).map((line) => line.amountPaise));
      const due = contest.state === "cancelled" ? own * contest.entryFeePaise : 0;
      if (returned !== due) say(`user ${user} got ${returned} back from contest ${contest.id} instead of ${due}`);
    }
  }
  for (const { contestId, entryId } of acknowledged.joins) {
    const contest = books.contests.find((candidate) => candidate.id === contestId)!;
    if (!books.entries.get(contest)!.some((entry) => entry.entryId === entryId)) {
      say(`entry ${entryId} of contest ${contestId} was acknowledged and is gone`);
    }
  }
}

const linesOf = (books: Books, user: UserId, contest: Contest, is: (line: LedgerLine) => boolean): LedgerLine[] =>
  books.lines.get(userAccount(user))!.filter((line) => line.ref === String(contest.id) && is(line));
const isJoinRefund = (line: LedgerLine): boolean => line.txnId.startsWith("join-refund:");

/** By the true time, which no node and no client knows better than to its skew. */
function judgeDeadline({ arrivalsMs }: Outcome, books: Books, say: Say): void {
  for (const { contestId, entryId, joinedAtMs } of [...books.entries.values()].flat()) {
    if (joinedAtMs >= START_MS) say(`entry ${entryId} of contest ${contestId} says that it came late`);
    const arrivedMs = arrivalsMs.get(joinArrival(contestId, entryId)) ?? Number.POSITIVE_INFINITY;
    if (arrivedMs >= START_MS + SKEW_MS_MAX) say(`entry ${entryId} of contest ${contestId} arrived at ${arrivedMs}`);
  }
}

const named = (join: { readonly contestId: number; readonly entryId: number }) => `${join.contestId} ${join.entryId}`;

/** The log announces the entries: all of them and no others. */
function judgeLog({ arrivalsMs }: Outcome, books: Books, say: Say): void {
  const announced = new Set(books.announced.map(named));
  const entries = new Set([...books.entries.values()].flat().map(named));
  for (const entry of entries) if (!announced.has(entry)) say(`entry ${entry} was never announced`);
  for (const entry of announced) if (!entries.has(entry)) say(`${entry} was announced and is no entry`);
  for (const { entryId } of books.saves) {
    if (!arrivalsMs.has(saveArrival(entryId))) say(`nobody saved team ${entryId}`);
  }
}

/** Whatever the feed was told that it counts does; prizes are paid of a released match and of no other. */
async function judgeFeed({ stores, matchId, acknowledged }: Outcome, books: Books, say: Say): Promise<void> {
  for (const id of acknowledged.events)
    if (!books.events.has(id)) say(`event ${id} was acknowledged and does not count`);
  const { state } = (await stores.catalog.match(matchId))!;
  if (state !== "released" && state !== "abandoned") say(`the match ended ${state}`);
  const settled = books.contests.some((contest) => contest.state === "settled");
  if (settled && state !== "released") say(`prizes were paid of a match that is ${state}`);
}

/** Ranks by sorting, prizes by walking down the table position by position. */
function judgePrizes({ users }: Outcome, books: Books, say: Say): void {
  let housePaise = 0;
  for (const contest of books.contests) {
    const entries = books.entries.get(contest)!;
    const due = new Map<EntryId, number>();
    if (contest.state === "settled") {
      if (!contest.guaranteed && entries.length < contest.entriesMax) say(`contest ${contest.id} did not fill`);
      const scored = entries.map(({ entryId }) => ({
        entryId,
        score: scoreRoster(rosterOf(books, entryId), books.points),
      }));
      for (const [entryId, prizePaise] of prizesOf(contest, scored)) due.set(entryId, prizePaise);
      housePaise += contest.entryFeePaise * entries.length - sum([...due.values()]);
    }
    for (const user of users) {
      const duePaise = sum([...due].filter(([entry]) => userOfEntry(entry) === user).map(([, prize]) => prize));
      const won = linesOf(books, user, contest, (line) => line.kind === "prize");
      const wonPaise = sum(won.map((line) => line.amountPaise));
      if (wonPaise !== duePaise) say(`user ${user} won ${wonPaise} in contest ${contest.id} instead of ${duePaise}`);
    }
  }
  const earnedPaise = balanceOf(books, houseAccount);
  if (earnedPaise !== housePaise) say(`the house has ${earnedPaise} instead of ${housePaise}`);
}

function rosterOf(books: Books, entry: EntryId): Roster {
  return books.counted.get(entry)!.at(-1)!.roster;
}

function prizesOf(contest: Contest, scored: { entryId: EntryId; score: number }[]): Map<EntryId, number> {
  const ladder: number[] = [];
  for (const band of contest.prizes) {
    const amount =
      "amountPaise" in band ? band.amountPaise : Math.floor((contest.prizePoolPaise * band.shareBps) / 10_000);
    for (let rank = band.fromRank; rank <= band.toRank; rank++) ladder[rank - 1] = amount;
  }
  if (ladder.length > 0) ladder[0]! += contest.prizePoolPaise - sum(ladder);
  const order = scored.toSorted((a, b) => b.score - a.score || a.entryId - b.entryId);
  const prizes = new Map<EntryId, number>();
  for (let first = 0; first < order.length;) {
    const tied = order.filter((entry) => entry.score === order[first]!.score);
    const pool = sum(ladder.slice(first, first + tied.length));
    for (const [index, { entryId }] of tied.entries()) {
      prizes.set(entryId, Math.floor(pool / tied.length) + (index < pool % tied.length ? 1 : 0));
    }
    first += tied.length;
  }
  return prizes;
}

/** The provider's books against ours: each captured payment credited once, each processed payout taken once. */
async function judgePayments({ stores, users, provider }: Outcome, books: Books, say: Say): Promise<void> {
  const rows = provider.settlementRows();
  for (const user of users) {
    const lines = books.lines.get(userAccount(user))!;
    const deposits = await stores.catalog.depositsOfUser(user, 100);
    const orders = new Set(deposits.map((deposit) => deposit.providerOrderId));
    const paid = rows.filter((row) => row.kind === "payment" && orders.has(row.reference));
    const credited = lines.filter((line) => line.kind === "deposit");
    const creditedPaise = sum(credited.map((line) => line.amountPaise));
    const paidPaise = sum(paid.map((row) => row.amountPaise));
    if (creditedPaise !== paidPaise) say(`user ${user} paid in ${paidPaise} and was credited ${creditedPaise}`);

    const withdrawals = await stores.catalog.withdrawalsOfUser(user, 100);
    for (const { withdrawalId, state } of withdrawals) {
      if (!["paid", "returned"].includes(state)) say(`withdrawal ${withdrawalId} is still ${state}`);
    }
    const ids = new Set(withdrawals.map((withdrawal) => withdrawal.withdrawalId));
    const sent = rows.filter((row) => row.kind === "payout" && ids.has(row.reference));
    const taken = lines.filter((line) => line.kind === "withdrawal_hold" || line.kind === "withdrawal_returned");
    const takenPaise = -sum(taken.map((line) => line.amountPaise));
    const sentPaise = sum(sent.map((row) => row.amountPaise));
    if (takenPaise !== sentPaise) say(`user ${user} got ${sentPaise} paid out and ${takenPaise} were taken`);
  }
}

/** Of every team the store holds exactly the saves that count. */
async function judgeTeams({ stores, matchId }: Outcome, books: Books, say: Say): Promise<void> {
  for (const entry of new Set(books.saves.map((save) => save.entryId))) {
    const counted = books.counted.get(entry) ?? [];
    const stored = await stores.teamStore.versions(matchId, entry);
    const difference = JSON.stringify(stored.map((row) => [row.version, row.savedAtMs, [...row.roster]]));
    if (difference !== JSON.stringify(counted.map((save) => [save.version, save.serverTsMs, [...save.roster]]))) {
      say(`team ${entry} is not what the log says`);
    }
  }
}

/**
 * What nodes answered against what the log has: an acknowledged save is in it before the lock, one that was refused is not,
 * and a team is locked as the newest acknowledged save left it. Newest to what the clocks of two nodes may differ by; and of
 * two saves of which one came after the other was answered, the later, unless one was spooled and the clocks do not tell.
 */
function judgeSaves({ saves }: Outcome, books: Books, say: Say): void {
  for (const save of saves) {
    const { entryId: entry, result } = save;
    if (result === null) continue;
    const logged = books.saves.filter((one) => one.entryId === entry);
    if (!result.ok) {
      if (result.refusal !== "match_started") say(`a save of team ${entry} was refused with ${result.refusal}`);
      const counts = logged.some(
        (one) => isOf(save, one) && !saves.some((other) => other !== save && isOf(other, one)),
      );
      if (counts) say(`a save of team ${entry} was refused at ${save.answeredMs}, and counts`);
      continue;
    }
    const { savedAtMs, version } = result.team;
    const own = logged.filter((one) => isOf(save, one) && one.serverTsMs === savedAtMs);
    const isThere = version === 0 ? own.length > 0 : own.some((one) => one.version === version);
    if (!isThere) say(`the save of team ${entry} at ${savedAtMs} was acknowledged and is gone`);
    const locked = books.counted.get(entry)?.at(-1);
    if (locked === undefined) {
      say(`team ${entry} was acknowledged and there is none`);
      continue;
    }
    const lockedAtMs = locked.serverTsMs;
    if (savedAtMs > lockedAtMs + 2 * SKEW_MS_MAX)
      say(`team ${entry} of ${lockedAtMs} has overtaken that of ${savedAtMs}`);
    const earlier = saves.filter((other) => isOf(other, locked) && other !== save);
    const isBefore =
      earlier.length > 0 && earlier.every((other) => other.result?.ok && other.answeredMs < save.arrivedMs);
    const isByClock = version === 0 || locked.spooled;
    if (isBefore && !own.includes(locked) && (!isByClock || savedAtMs > lockedAtMs)) {
      say(`team ${entry} was answered before the save of ${savedAtMs} came, and is locked instead of it`);
    }
  }
}

/** Whether the save may have written this record: its team, by its node's clock between arrival and answer. */
function isOf({ entryId, draft, arrivedMs, answeredMs, skewMs }: SaveRequest, logged: LoggedSave): boolean {
  if (entryId !== logged.entryId) return false;
  if (logged.serverTsMs < arrivedMs + skewMs || logged.serverTsMs > answeredMs + skewMs) return false;
  const check = checkRoster(draft, SQUAD, ROSTER_RULES["modern"]!);
  return check.ok && check.roster.every((byte, index) => byte === logged.roster[index]);
}

/** Every spool ends empty, and the catalog knows of none. */
async function judgeSpools({ stores }: Outcome, say: Say): Promise<void> {
  for (const [node, spool] of stores.spools) {
    const left = (await spool.head(1e9)).length;
    if (left > 0) say(`${left} saves are left in the spool of ${node}`);
  }
  for (const node of await stores.catalog.openSpools()) say(`the spool of ${node} is still open`);
}

/** The reconciliation is a judge too, and is judged: of a sound run it finds nothing. */
async function judgeReconciliation({ stores, provider }: Outcome, say: Say): Promise<void> {
  const report = await reconcile({
    catalog: stores.catalog,
    ledger: stores.ledger,
    boardCounts: (match) => announcedEntries(stores.log, match),
    settlementRows: provider.settlementRows(),
    pageRows: 3,
    rowsMax: 1000,
  });
  for (const { kind, subject, expected, actual } of report.differences) {
    say(`reconciliation: ${kind} of ${subject} is ${actual}, expected ${expected}`);
  }
}
