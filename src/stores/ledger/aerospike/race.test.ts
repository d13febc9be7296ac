/**
 * Several processes on one ledger, some of them killed in the middle. Verified: every answer that was given, against what the
 * ledger holds in the end; that its books balance; that nothing is left half done. Not verified: a server that loses
 * acknowledged writes, as a Community cluster may (see openAerospikeLedger).
 */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { mayOverdraw } from "../../../domain/account.ts";
import { seededRandom } from "../../contract.ts";
import type { Ledger } from "../port.ts";
import { aerospikeAddress } from "./address.ts";
import { recordsOf } from "./audit.ts";
import { SETS, transferRecordOf } from "./books.ts";
import { sameBody } from "./item.ts";
import { type RaceAnswer, RACED_ACCOUNTS } from "./racer.ts";
import { openLedgerAt, openSession, ownUrl, testUrl, throwAway } from "./temporary.ts";

interface Racer {
  readonly seed: number;
  readonly transferCount: number;
  /** 0 for one that lives. */
  readonly diesAfterCalls: number;
}

async function run(url: string, { seed, transferCount, diesAfterCalls }: Racer): Promise<RaceAnswer[]> {
  const script = join(import.meta.dir, "racer.ts");
  const racer = Bun.spawn(
    [process.execPath, script, url, String(seed), String(transferCount), String(diesAfterCalls)],
    { stdout: "pipe", stderr: "inherit" },
  );
  const text = await new Response(racer.stdout).text();
  await racer.exited;
  expect(racer.signalCode).toBe(diesAfterCalls > 0 ? "SIGKILL" : null);
  // The last line may be cut; the rest of it was never said.
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as RaceAnswer);
}

async function checkAnswers(ledger: Ledger, answers: readonly RaceAnswer[]): Promise<void> {
  const byId = Map.groupBy(answers, ({ transfer }) => transfer.txnId);
  let takenCount = 0;
  for (const [txnId, given] of byId) {
    const found = await ledger.find(txnId);
    const fresh = given.filter(({ result }) => result.ok && !result.replayed);
    expect(fresh.length).toBeLessThanOrEqual(1);
    for (const { transfer, result } of given) {
      if (result.ok) expect(sameBody(found!, transfer)).toBe(true);
      else if (result.refusal === "txn_mismatch") expect(found && sameBody(found, transfer)).toBe(false);
    }
    if (found !== null) takenCount++;
  }
  expect(takenCount).toBeGreaterThan(0);
}

async function checkBooks(url: string, ledger: Ledger): Promise<void> {
  const audit = await ledger.audit();
  expect({ sum: Number(audit.sumPaise), differences: audit.differences }).toEqual({ sum: 0, differences: [] });
  const balances = await ledger.balances(RACED_ACCOUNTS);
  expect(balances.reduce((sum, balance) => sum + balance, 0)).toBe(0);
  let lineCount = 0;
  for (const [index, account] of RACED_ACCOUNTS.entries()) {
    const lines = (await ledger.history(account, { limit: 1_000_000 })).toReversed();
    lineCount += lines.length;
    let [balance, seq] = [0, 0];
    for (const line of lines) {
      balance += line.amountPaise;
      expect(Number(line.balanceAfterPaise)).toBe(balance);
      expect(line.seq).toBeGreaterThan(seq);
      if (!mayOverdraw(account)) expect(balance).toBeGreaterThanOrEqual(0);
      seq = line.seq;
    }
    expect(balance).toBe(balances[index]!);
    expect(new Set(lines.map(({ txnId }) => txnId)).size).toBe(lines.length);
  }
  expect(lineCount).toBe(2 * audit.transferCount);
  await ledger.close();
  const session = await openSession(url);
  const stages = new Map<string, number>();
  for await (const bins of recordsOf(session, SETS.transfers, aerospikeAddress(url).prefix)) {
    const { stage } = transferRecordOf(bins);
    stages.set(stage, (stages.get(stage) ?? 0) + 1);
  }
  session.close();
  expect(stages.get("done")).toBe(audit.transferCount);
  expect([stages.get("pending"), stages.get("voiding")]).toEqual([undefined, undefined]);
}

const url = testUrl;
if (url) {
  describe("ledger: aerospike, from several processes", () => {
    test("that use the same accounts and the same ids at once, each id takes effect once", async () => {
      const own = ownUrl(url);
      const racers = [1, 2, 3].map((seed) => ({ seed, transferCount: 1_500, diesAfterCalls: 0 }));
      const answers = (await Promise.all(racers.map((racer) => run(own, racer)))).flat();
      const ledger = await openLedgerAt(own);
      await checkAnswers(ledger, answers);
      await checkBooks(own, ledger);
      await throwAway(own);
    }, 60_000);

    test("killed between any two steps, what they left is finished or put out of use", async () => {
      const own = ownUrl(url);
      const random = seededRandom(20_261_125);
      const answers: RaceAnswer[] = [];
      for (let round = 0; round < 8; round++) {
        const racers = [0, 1].map((place) => ({
          seed: 10 * round + place,
          transferCount: 2_000,
          diesAfterCalls: 1 + random.below(60),
        }));
        answers.push(...(await Promise.all(racers.map((racer) => run(own, racer)))).flat());
        const ledger = await openLedgerAt(own);
        const audit = await ledger.audit();
        expect({ sum: Number(audit.sumPaise), differences: audit.differences }).toEqual({ sum: 0, differences: [] });
        await ledger.close();
      }
      const ledger = await openLedgerAt(own);
      await checkAnswers(ledger, answers);
      await checkBooks(own, ledger);
      await throwAway(own);
    }, 120_000);
  });
}
