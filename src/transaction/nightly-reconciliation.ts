import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../domain/clock.ts";
import type { Counter, Gauge, Metrics } from "../metrics.ts";
import type { Difference } from "./difference.ts";
import type { PaymentProvider } from "./payments/provider.ts";
import { differenceCounts, reconcile, type ReconcileDeps, type ReconcileReport } from "./reconcile.ts";

export interface NightlyDeps extends Omit<ReconcileDeps, "settlementRows"> {
  readonly provider: Pick<PaymentProvider, "settlementFile">;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Reports are kept here, one file a run. */
  readonly directory: string;
  /** Between the two looks. */
  readonly pauseMs: number;
  readonly pause: (ms: number) => Promise<unknown>;
  readonly log: (line: string) => void;
}

/**
 * The reconciliation of a node that goes on working meanwhile. Money that moves while one book is read before the other
 * looks like a difference, so there are two looks, and what is told is what both of them saw, amount for amount.
 */
export class NightlyReconciliation {
  readonly #deps: NightlyDeps;
  readonly #differences: Gauge;
  readonly #lastRun: Gauge;
  readonly #runs: Counter;

  constructor(deps: NightlyDeps) {
    this.#deps = deps;
    const { metrics } = deps;
    this.#differences = metrics.gauge("powerplay_reconcile_differences", "What the books disagree on, by kind.");
    this.#lastRun = metrics.gauge("powerplay_reconcile_last_run_seconds", "When the books were last compared, UTC.");
    this.#runs = metrics.counter("powerplay_reconcile_runs_total", "Comparisons of the books, by outcome.");
  }

  async run(): Promise<ReconcileReport> {
    const { clock, directory, log, pause, pauseMs } = this.#deps;
    const first = await this.#look();
    let report = first;
    if (first.differences.length > 0) {
      await pause(pauseMs);
      const second = await this.#look();
      report = { ...second, differences: seenByBoth(first.differences, second.differences) };
    }
    const atMs = clock.nowMs();
    for (const [kind, count] of Object.entries(differenceCounts(report))) this.#differences.set(count, { kind });
    this.#lastRun.set(atMs / 1_000);
    this.#runs.add({ outcome: report.differences.length === 0 ? "agreed" : "differed" });
    mkdirSync(directory, { recursive: true });
    const name = `reconcile-${new Date(atMs).toISOString().replaceAll(":", "-")}.json`;
    writeFileSync(join(directory, name), `${JSON.stringify({ atMs, ...report }, null, 2)}\n`);
    for (const difference of report.differences) log(`reconcile: ${JSON.stringify(difference)}`);
    return report;
  }

  async #look(): Promise<ReconcileReport> {
    const { provider } = this.#deps;
    const file = await provider.settlementFile();
    if (!file.ok) throw new Error(`the provider's settlement file can't be had: ${file.reason}`);
    return reconcile({ ...this.#deps, settlementRows: file.value });
  }
}

const seenByBoth = (first: readonly Difference[], second: readonly Difference[]): Difference[] => {
  const seen = new Set(first.map((difference) => JSON.stringify(difference)));
  return second.filter((difference) => seen.has(JSON.stringify(difference)));
};
