import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { limits } from "../../src/config.ts";
import { gatewayAccount, userAccount } from "../../src/domain/account.ts";
import { assert } from "../../src/domain/assert.ts";
import { systemClock } from "../../src/domain/clock.ts";
import { type ContestId, type MatchId, teamNo, userId } from "../../src/domain/ids.ts";
import { paise } from "../../src/domain/money.ts";
import { openEmbeddedCatalog } from "../../src/stores/catalog/embedded.ts";
import { openEmbeddedLedger } from "../../src/stores/ledger/embedded.ts";
import { MatchCache } from "../../src/stream/match-cache.ts";
import { escrowStripes } from "../../src/transaction/escrow.ts";
import { JoinSagas } from "../../src/transaction/join-saga.ts";
import { type Contender, contestOf, FEE_PAISE, type JoinPlan, WALLET_PAISE } from "./workload.ts";

const T1 = teamNo(1);
const NO_OPTIONS = { idempotencyKey: null, inviteCode: null };
const FUND_BATCH = 5_000;

/** The transaction plane of a node as it is, over the embedded stores in a directory of their own. */
export async function openPowerplayJoins(): Promise<Contender> {
  const directory = await mkdtemp(join(tmpdir(), "powerplay-money-"));
  const at = (name: string) => ({ file: join(directory, `${name}.sqlite`), pendingMax: limits.storePendingMax });
  const catalog = await openEmbeddedCatalog(at("catalog"));
  const ledger = await openEmbeddedLedger(at("ledger"));
  const sagas = new JoinSagas({
    catalog,
    ledger,
    matches: new MatchCache(catalog, limits.matchCache),
    clock: systemClock,
    teamExists: async () => true,
    termsMax: limits.joins.termsMax,
  });
  let plan: JoinPlan;
  let matchId: MatchId;
  return {
    name: "powerplay",
    async prepare(chosen) {
      plan = chosen;
      const match = await catalog.createMatch({
        name: "Bench v Mark",
        sides: ["Bench", "Mark"],
        format: "T20",
        startMs: Date.now() + 86_400_000,
        scoringRules: "t20-2026",
        rosterRules: "modern",
      });
      matchId = match.id;
      for (let contest = 1; contest <= plan.contestCount; contest++) {
        await catalog.createContest({
          matchId,
          kind: "mega",
          name: `Contest ${contest}`,
          entryFeePaise: paise(FEE_PAISE),
          entriesMax: plan.userCount,
          entriesPerUserMax: 1,
          prizePoolPaise: paise(0),
          prizes: [],
          guaranteed: true,
          inviteCode: null,
        });
      }
      for (let from = 1; from <= plan.userCount; from += FUND_BATCH) {
        const count = Math.min(FUND_BATCH, plan.userCount - from + 1);
        await ledger.transfer(
          Array.from({ length: count }, (_, index) => ({
            txnId: `fund:${from + index}`,
            debit: gatewayAccount,
            credit: userAccount(userId(from + index)),
            amountPaise: paise(WALLET_PAISE),
            kind: "deposit" as const,
            ref: "bench",
            atMs: 1,
          })),
        );
      }
    },
    async join(user) {
      const joined = await sagas.join(userId(user), contestOf(plan, user) as ContestId, T1, NO_OPTIONS);
      assert(joined.ok, `user ${user} joins`);
    },
    async digest() {
      const contests = await catalog.contests(matchId);
      const counts = await Promise.all(contests.map(({ id }) => catalog.entryCount(id)));
      const escrows = await ledger.balances(contests.flatMap((contest) => escrowStripes(contest)));
      const users = Array.from({ length: plan.userCount }, (_, index) => userAccount(userId(index + 1)));
      const audit = await ledger.audit();
      assert(audit.sumPaise === 0 && audit.differences.length === 0, "the ledger is sound");
      const sum = (amounts: readonly number[]) => amounts.reduce((total, amount) => total + amount, 0);
      return {
        entryCount: sum(counts),
        escrowPaise: sum(escrows),
        walletsPaise: sum(await ledger.balances(users)),
        announcedCount: await catalog.outboxCount(matchId),
        fullestContest: Math.max(...counts),
      };
    },
    async close() {
      await Promise.all([catalog.close(), ledger.close()]);
      await rm(directory, { recursive: true });
    },
  };
}
