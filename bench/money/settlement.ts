import { Database } from "bun:sqlite";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { limits } from "../../src/config.ts";
import { escrowAccount, gatewayAccount, houseAccount, prizeAccount, userAccount } from "../../src/domain/account.ts";
import { assert } from "../../src/domain/assert.ts";
import { systemClock } from "../../src/domain/clock.ts";
import { contestId, entryId, teamNo, userId } from "../../src/domain/ids.ts";
import { paise } from "../../src/domain/money.ts";
import { POOL_SIZE_MAX } from "../../src/domain/points.ts";
import { seededRandom } from "../../src/domain/random.ts";
import { ROSTER_SIZE } from "../../src/domain/roster.ts";
import { standingOf } from "../../src/realtime/board/board.ts";
import { typescriptKernel } from "../../src/realtime/kernel/typescript.ts";
import { putRoster, tileBytes } from "../../src/realtime/kernel/tiles.ts";
import { openEmbeddedCatalog } from "../../src/stores/catalog/embedded.ts";
import { openEmbeddedLedger } from "../../src/stores/ledger/embedded.ts";
import { escrowStripeCount } from "../../src/transaction/escrow.ts";
import { type FinalScores, scoresOfColumns } from "../../src/transaction/final-scores.ts";
import { Settlement } from "../../src/transaction/settlement.ts";

export interface SettlementPlan {
  readonly entryCount: number;
  /** Teams that each user entered. */
  readonly teamsPerUser: number;
  /** How many entries win something. */
  readonly winnerCount: number;
}

export interface SettlementResult {
  readonly seconds: number;
  readonly paidPaise: number;
  readonly peakMebibytes: number;
  readonly auditSeconds: number;
}

const FEE_PAISE = 4_900;
const FUND_BATCH = 20_000;

/** One contest whose match is released, its entries, its fees in escrow and a wallet for every user; as a night leaves them. */
async function prepare(directory: string, { entryCount, teamsPerUser, winnerCount }: SettlementPlan) {
  const at = (name: string) => ({ file: join(directory, `${name}.sqlite`), pendingMax: limits.storePendingMax });
  const catalog = await openEmbeddedCatalog(at("catalog"));
  const match = await catalog.createMatch({
    name: "Bench v Mark",
    sides: ["Bench", "Mark"],
    format: "T20",
    startMs: 1,
    scoringRules: "t20-2026",
    rosterRules: "modern",
  });
  // ₹20 each for everybody who wins but the first, who takes the rest of 90 % of the fees.
  const poolPaise = Math.floor(entryCount * FEE_PAISE * 0.9);
  const eachPaise = 2_000;
  const contest = await catalog.createContest({
    matchId: match.id,
    kind: "mega",
    name: "Mega",
    entryFeePaise: paise(FEE_PAISE),
    entriesMax: entryCount,
    entriesPerUserMax: 20,
    prizePoolPaise: paise(poolPaise),
    prizes: [
      { fromRank: 1, toRank: 1, amountPaise: paise(poolPaise - eachPaise * (winnerCount - 1)) },
      { fromRank: 2, toRank: winnerCount, amountPaise: paise(eachPaise) },
    ],
    guaranteed: true,
    inviteCode: null,
  });
  await catalog.moveMatch(match.id, "upcoming", "released");
  await catalog.close();

  const userCount = entryCount / teamsPerUser;
  // As beginJoin and confirmJoin leave them, without two hours of both.
  const db = new Database(at("catalog").file, { strict: true });
  db.run("PRAGMA synchronous = OFF");
  db.run("BEGIN");
  db.run(
    `INSERT INTO seats SELECT ${contest.id}, u.value * 64 + t.value, ${match.id}, ${FEE_PAISE}, 0, 1
     FROM generate_series(1, ${userCount}) u, generate_series(1, ${teamsPerUser}) t`.replaceAll(
      /generate_series\((\d+), (\d+)\)/g,
      (_all, from: string, to: string) =>
        `(WITH RECURSIVE n(value) AS (SELECT ${from} UNION ALL SELECT value + 1 FROM n WHERE value < ${to}) SELECT value FROM n)`,
    ),
  );
  db.run(`UPDATE contest_counts SET seats_taken = ${entryCount}, entry_count = ${entryCount}`);
  db.run("COMMIT");
  db.close();

  const ledger = await openEmbeddedLedger(at("ledger"));
  const stripes = escrowStripeCount({ entriesMax: entryCount });
  const held = Array.from({ length: stripes }, () => 0);
  for (let user = 1; user <= userCount; user++) held[user % stripes]! += FEE_PAISE * teamsPerUser;
  const deposit = { debit: gatewayAccount, kind: "deposit", ref: "bench", atMs: 1 } as const;
  await ledger.transfer(
    held.map((amount, stripe) => ({
      ...deposit,
      txnId: `fund-escrow:${stripe}`,
      credit: escrowAccount(contest.id, stripe),
      amountPaise: paise(amount),
    })),
  );
  // Wallets are opened in an order of their own, as deposits come.
  const random = seededRandom(4);
  const users = new Uint32Array(userCount).map((_, index) => index + 1);
  for (let last = userCount - 1; last > 0; last--) {
    const other = random.int(last + 1);
    [users[last], users[other]] = [users[other]!, users[last]!];
  }
  for (let from = 0; from < userCount; from += FUND_BATCH) {
    await ledger.transfer(
      Array.from(users.subarray(from, from + FUND_BATCH), (user) => ({
        ...deposit,
        txnId: `deposit:${user}`,
        credit: userAccount(userId(user)),
        amountPaise: paise(100),
      })),
    );
  }
  await ledger.close();
  return { at, contest };
}

/** Random rosters over a match's pool, scored by the kernel: scores and ties as a real board has them. */
function scoresOf({ entryCount, teamsPerUser }: SettlementPlan): FinalScores {
  const random = seededRandom(5);
  const points = new Int16Array(POOL_SIZE_MAX).map(() => 2 * random.int(200));
  const entryIds = new Float64Array(entryCount);
  const tiles = new Uint8Array(tileBytes(entryCount));
  const rosters = Array.from({ length: 4_096 }, () => random.shuffle(Array.from({ length: 22 }, (_, index) => index)));
  for (let index = 0; index < entryCount; index++) {
    entryIds[index] = entryId(userId(1 + Math.floor(index / teamsPerUser)), teamNo(1 + (index % teamsPerUser)));
    putRoster(tiles, index, rosters[random.int(rosters.length)]!.slice(0, ROSTER_SIZE));
  }
  const columns = { entryIds, tiles, entryCount };
  return scoresOfColumns(columns, standingOf(typescriptKernel, columns, points), points);
}

export async function measureSettlement(plan: SettlementPlan): Promise<SettlementResult> {
  const directory = await mkdtemp(join(tmpdir(), "powerplay-settlement-"));
  try {
    const { at, contest } = await prepare(directory, plan);
    const scores = scoresOf(plan);
    const catalog = await openEmbeddedCatalog(at("catalog"));
    const ledger = await openEmbeddedLedger(at("ledger"));
    const settlement = new Settlement({ catalog, ledger, clock: systemClock, ...limits.settlement });
    Bun.gc(true);
    const before = process.memoryUsage.rss();
    let peak = before;
    const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 100);
    const startedMs = performance.now();
    const end = await settlement.settle(contestId(contest.id), scores);
    const seconds = (performance.now() - startedMs) / 1_000;
    clearInterval(watch);
    assert(end.ok && end.outcome === "settled" && end.entryCount === plan.entryCount, "the contest is settled");

    const auditMs = performance.now();
    const audit = await ledger.audit();
    const auditSeconds = (performance.now() - auditMs) / 1_000;
    assert(audit.sumPaise === 0 && audit.differences.length === 0, "every balance is what its transfers say");
    assert(audit.totalsPaise.prize === contest.prizePoolPaise, "the winners got the pool");
    const stripes = Array.from({ length: escrowStripeCount(contest) }, (_, stripe) =>
      escrowAccount(contest.id, stripe),
    );
    const [house, ...rest] = await ledger.balances([houseAccount, prizeAccount(contest.id), ...stripes]);
    assert(house === FEE_PAISE * plan.entryCount - contest.prizePoolPaise, "the house has the margin");
    assert(
      rest.every((balance) => balance === 0),
      "escrow and prizes are empty",
    );
    await Promise.all([catalog.close(), ledger.close()]);
    return { seconds, paidPaise: end.paidPaise, peakMebibytes: Math.round((peak - before) / 2 ** 20), auditSeconds };
  } finally {
    await rm(directory, { recursive: true });
  }
}

if (import.meta.main) {
  const entryCount = Number(process.argv[2] ?? 1_000_000);
  const winnerCount = Number(process.argv[3] ?? entryCount);
  const t = performance.now();
  console.log(await measureSettlement({ entryCount, teamsPerUser: 4, winnerCount }), (performance.now() - t) / 1000);
}
