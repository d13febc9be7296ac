import { randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";
import { assert } from "../../../domain/assert.ts";
import type { AccountId } from "../../../domain/account.ts";
import { StoreUnavailable } from "../../unavailable.ts";
import type { Transfer, TransferResult } from "../port.ts";
import {
  accountOf,
  type Books,
  DIRECTORY,
  EVICTED_VERSION,
  type HeldLine,
  transferRecordOf,
  type TransferRecord,
  waveOf,
  type WaveRecord,
} from "./books.ts";
import { HeldAccount } from "./held-account.ts";
import { Item } from "./item.ts";
import { ItemQueue } from "./item-queue.ts";
import type { RecordOperation, RecordOutcome } from "./records.ts";
import type { Session } from "./session.ts";
import { Wave, type WaveStore } from "./wave.ts";

export interface NodeOptions {
  /** Transfers that go together. Their lines are in one swap of an account that all of them touch: keep it below 1 MiB. */
  readonly waveTransfersMax: number;
  /** Transfers that may wait; past it a call rejects with `StoreUnavailable`. */
  readonly pendingMax: number;
  /** How long a transfer is tried while the store does not answer. */
  readonly timeoutMs: number;
  /** Accounts in memory; one that is not costs a read. */
  readonly accountsMax: number;
  /** How often transfers that were left half done are looked for. */
  readonly sweepEveryMs: number;
  /** A wave that has not moved for so long is of a node that died; nothing breaks if it did not. */
  readonly staleMs: number;
}

/** The cluster, as far as a node needs it. */
type LedgerSession = Pick<Session, "batch" | "close">;

/** A node that has nothing under way looks as one that died with nothing under way; to forget a live one costs it a few calls. */
const IDLE_MS_MAX = 3_600_000;
const BACKOFF_MS_MIN = 2;
const BACKOFF_MS_MAX = 200;
const READS_PER_CALL = 2_000;

/** What the nodes do to one ledger, seen from one of them: its waves, one at a time, and the half-done work of nodes that died. */
export class LedgerNode implements WaveStore {
  readonly books: Books;
  readonly #session: LedgerSession;
  readonly #options: NodeOptions;
  readonly #accounts: LRUCache<AccountId, HeldAccount>;
  readonly #queue = new ItemQueue();
  /** Finished; their records are told with the next wave. */
  readonly #unsettled = new Map<string, Item>();
  /** Begun in a wave that the store did not let finish. */
  readonly #halfDone = new Set<string>();
  /** When each other node's wave was first seen as it is. */
  readonly #seen = new Map<string, { readonly version: number; readonly sinceMs: number }>();
  #node = "";
  /** Of this node's record of its wave, and what it says. */
  #waveVersion = 0;
  #waveIds: readonly string[] = [];
  #waveIsKnown = true;
  #tick = 0;
  #pump: Promise<void> | null = null;
  #sweep: Promise<void> | null = null;
  #timer: Timer | null = null;
  #isClosed = false;

  private constructor(session: LedgerSession, books: Books, options: NodeOptions) {
    assert(options.accountsMax >= 4 * options.waveTransfersMax, "the accounts of a wave stay in memory");
    this.#session = session;
    this.books = books;
    this.#options = options;
    this.#accounts = new LRUCache({ max: options.accountsMax });
  }

  /** What other nodes left half done before this one came is finished first. */
  static async open(session: LedgerSession, books: Books, options: NodeOptions): Promise<LedgerNode> {
    const node = new LedgerNode(session, books, options);
    await node.#register();
    await node.finishLeftBehind(0);
    node.#timer = setInterval(() => {
      if (node.#halfDone.size > 0 || node.#waveIds.length > 0) node.#wake();
      node.#sweep ??= node
        .finishLeftBehind(options.staleMs)
        // The next one comes to it again.
        .catch(ignoreUnavailable)
        .finally(() => (node.#sweep = null));
    }, options.sweepEveryMs);
    node.#timer.unref();
    return node;
  }

  get node(): string {
    return this.#node;
  }

  transfer(batch: readonly Transfer[]): Promise<TransferResult[]> {
    if (this.#isClosed) return Promise.reject(new StoreUnavailable("Ledger", "closed"));
    if (batch.length === 0) return Promise.resolve([]);
    if (this.#queue.length > this.#options.pendingMax) {
      return Promise.reject(new StoreUnavailable("Ledger", "too many transfers wait"));
    }
    const { promise, resolve, reject } = Promise.withResolvers<TransferResult[]>();
    const results: TransferResult[] = Array.from({ length: batch.length });
    let open = batch.length;
    const submitted = { at: this.#tick, ms: performance.now() };
    for (const [index, transfer] of batch.entries()) {
      const answer = (result: TransferResult): void => {
        results[index] = result;
        if (--open === 0) resolve(results);
      };
      this.#queue.push(new Item(transfer, submitted, answer, reject));
    }
    this.#wake();
    return promise;
  }

  /** Finishes the transfer of a record that is neither done nor void, or puts it out of use. */
  async finishRecord(record: TransferRecord): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<TransferResult>();
    this.#queue.push(Item.leftBehind(record, this.#tick, this.#node, resolve, reject));
    this.#wake();
    await promise;
  }

  /** What is known of the transfer, once whatever is under way with it is finished; null where none took effect. */
  async doneTransfer(txnId: string): Promise<TransferRecord | null> {
    for (;;) {
      const finished = this.#unsettled.get(txnId);
      if (finished) return doneRecordOf(finished, this.#node);
      const [read] = await this.read([this.books.readTransfer(txnId)]);
      if (read!.bins === null) return null;
      const record = transferRecordOf(read!.bins);
      if (record.stage === "done") return record;
      if (record.stage === "void") return null;
      await this.finishRecord(record);
    }
  }

  /** Answers by position; null for a record that is not there. Rejects with `StoreUnavailable`. */
  async read(operations: readonly RecordOperation[]): Promise<(RecordOutcome & { kind: "done" })[]> {
    const found: (RecordOutcome & { kind: "done" })[] = [];
    for (let at = 0; at < operations.length; at += READS_PER_CALL) {
      const some = operations.slice(at, at + READS_PER_CALL);
      for (const outcome of await this.#patiently(some)) found.push(outcome);
    }
    return found;
  }

  /**
   * Finishes what nodes left half done whose waves have not moved for so long, and forgets the nodes that are gone. To do so
   * with a wave that is under way costs time and does no harm.
   */
  async finishLeftBehind(staleMs: number): Promise<void> {
    const [directory] = await this.read([this.books.readWave(DIRECTORY)]);
    const others = waveOf(directory!.bins).ids.filter((node) => node !== this.#node);
    const waves = await this.read(others.map((node) => this.books.readWave(node)));
    const nowMs = performance.now();
    for (const [index, node] of others.entries()) {
      const wave = waveOf(waves[index]!.bins);
      const seen = this.#seen.get(node);
      if (seen?.version !== wave.version) this.#seen.set(node, { version: wave.version, sinceMs: nowMs });
      const unmovedMs = seen?.version === wave.version ? nowMs - seen.sinceMs : 0;
      if (unmovedMs >= staleMs) await this.#finishWave(wave);
      const isGone = unmovedMs >= (wave.ids.length > 0 ? this.#options.staleMs : IDLE_MS_MAX);
      if (isGone) await this.#forget(node, wave);
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#timer) clearInterval(this.#timer);
    await this.#sweep;
    while (this.#pump) await this.#pump;
    if (this.#unsettled.size === 0 && this.#halfDone.size === 0) {
      // Whoever comes next finds nothing to do here, whether this succeeds or not.
      await this.#changeDirectory((nodes) => nodes.filter((node) => node !== this.#node)).catch(ignoreUnavailable);
      await this.#session.batch([this.books.removeWave(this.#node)]);
    }
    this.#session.close();
  }

  // What waves need.

  async call(operations: readonly RecordOperation[]): Promise<{ tick: number; outcomes: RecordOutcome[] }> {
    const tick = ++this.#tick;
    return { tick, outcomes: await this.#session.batch(operations) };
  }

  account(name: AccountId): HeldAccount | undefined {
    return this.#accounts.get(name);
  }

  hold(account: HeldAccount): void {
    this.#accounts.set(account.name, account);
  }

  finished(txnId: string): Item | undefined {
    return this.#unsettled.get(txnId);
  }

  finish(item: Item): void {
    this.#unsettled.set(item.txnId, item);
  }

  #wake(): void {
    this.#pump ??= this.#run()
      // Transfers have heard so; what else there was to do the timer comes to again.
      .catch(ignoreUnavailable)
      .finally(() => (this.#pump = null));
  }

  async #run(): Promise<void> {
    for (;;) {
      // Whoever heard the answers of a wave comes with the next transfers before this goes on.
      await new Promise<void>((resolve) => void setImmediate(resolve));
      if (this.#queue.length === 0 && this.#halfDone.size === 0) {
        if (this.#waveIds.length === 0 || !(await this.#rest())) return;
        continue;
      }
      const items = this.#queue.take(this.#options.waveTransfersMax);
      try {
        await this.#carryOut(items);
      } catch (error) {
        for (const item of items) if (item.result === null) item.fail(error);
        if (this.#queue.length === 0) return;
      }
    }
  }

  /** Tells the records of the last wave, so that an idle node leaves nothing to do. false: the store does not answer. */
  async #rest(): Promise<boolean> {
    const ends = this.#ends();
    const { outcomes } = await this.call(ends.map(({ operation }) => operation));
    this.#settle(ends, outcomes);
    if (this.#unsettled.size > 0) return false;
    if (this.#halfDone.size > 0) return true;
    return (await this.#isWaveKnown()) && this.#declared([], (await this.call([this.#declaration([])])).outcomes[0]!);
  }

  async #carryOut(items: readonly Item[]): Promise<void> {
    const begunMs = performance.now();
    let wave: Wave | null = null;
    let backoffMs = BACKOFF_MS_MIN;
    try {
      for (;;) {
        let isFine: boolean;
        if (wave === null) {
          const left = await this.#prepare(items);
          isFine = left !== null;
          if (left !== null) wave = new Wave(this, [...left, ...items]);
        } else {
          if (wave.open.length === 0) return;
          isFine = (await wave.step()) === "fine";
        }
        if (isFine) {
          backoffMs = BACKOFF_MS_MIN;
          continue;
        }
        // A transfer that waited for its turn through an outage has had its time.
        const waitedMs =
          performance.now() - Math.min(begunMs, ...items.slice(0, 1).map(({ submittedMs }) => submittedMs));
        if (waitedMs > this.#options.timeoutMs) throw new StoreUnavailable("Ledger", "the cluster does not answer");
        await Bun.sleep(backoffMs * (0.5 + Math.random()));
        backoffMs = Math.min(2 * backoffMs, BACKOFF_MS_MAX);
      }
    } finally {
      for (const item of wave?.open ?? []) {
        if (item.stage === "pending" || item.stage === "voiding" || item.isBegun) this.#halfDone.add(item.txnId);
      }
    }
  }

  /**
   * All that goes before a wave, in one call: its ids are declared, so that they are found should this node die; the records
   * of the wave before are told that they are done, full pages are written, accounts are read. Answers what an earlier wave
   * left half done; null: to be repeated.
   */
  async #prepare(items: readonly Item[]): Promise<Item[] | null> {
    if (!(await this.#isWaveKnown())) return null;
    const left = await this.#readHalfDone();
    if (left === null) return null;
    const ends = this.#ends();
    const accounts = this.#accountsOf([...left, ...items]);
    const missing = accounts.flatMap(({ name, held }) => (held ? [] : [name]));
    const pages = accounts.flatMap(({ held }) => held?.pagesToWrite(this.books) ?? []);
    const doubtful = accounts.flatMap(({ held }) => held?.unsettledInFirstPage() ?? []);
    const ids = [...this.#unsettled.keys(), ...left.map(({ txnId }) => txnId), ...items.map(({ txnId }) => txnId)];
    const { tick, outcomes } = await this.call([
      this.#declaration(ids),
      ...ends.map(({ operation }) => operation),
      ...pages.map(({ operation }) => operation),
      ...doubtful.map(({ txnId }) => this.books.readTransfer(txnId)),
      ...missing.map((name) => this.books.readAccount(name)),
    ]);
    const next = (count: number): RecordOutcome[] => outcomes.splice(0, count);
    const isDeclared = this.#declared(ids, next(1)[0]!);
    this.#settle(ends, next(ends.length));
    for (const [index, { kind }] of next(pages.length).entries()) if (kind === "done") pages[index]!.written();
    for (const [index, outcome] of next(doubtful.length).entries()) {
      if (outcome.kind !== "done" || outcome.bins === null) continue;
      doubtful[index]!.isSettled ||= transferRecordOf(outcome.bins).stage === "done";
    }
    for (const [index, outcome] of outcomes.entries()) {
      // What is still missing the wave reads itself.
      if (outcome.kind !== "done") continue;
      const name = missing[index]!;
      this.hold(new HeldAccount(name, accountOf(outcome.bins), tick));
    }
    if (isDeclared) return left;
    for (const { txnId } of left) this.#halfDone.add(txnId);
    return null;
  }

  async #readHalfDone(): Promise<Item[] | null> {
    if (this.#halfDone.size === 0) return [];
    const ids = [...this.#halfDone];
    const { tick, outcomes } = await this.call(ids.map((txnId) => this.books.readTransfer(txnId)));
    const left: Item[] = [];
    for (const outcome of outcomes) {
      if (outcome.kind !== "done") return null;
      const record = outcome.bins === null ? null : transferRecordOf(outcome.bins);
      if (record?.stage === "pending" || record?.stage === "voiding") {
        left.push(Item.leftBehind(record, tick, this.#node));
      }
    }
    this.#halfDone.clear();
    return left;
  }

  #accountsOf(items: readonly Item[]): { readonly name: AccountId; readonly held: HeldAccount | undefined }[] {
    const names = new Set(items.flatMap(({ transfer }) => [transfer.debit, transfer.credit]));
    return Array.from(names, (name) => ({ name, held: this.#accounts.get(name) }));
  }

  #ends(): { readonly item: Item; readonly operation: RecordOperation }[] {
    return Array.from(this.#unsettled.values(), (item) => {
      const seqs = { debit: item.debitLine!.seq, credit: item.creditLine!.seq };
      return { item, operation: this.books.endTransfer(item.txnId, item.version, seqs) };
    });
  }

  #settle(ends: readonly { readonly item: Item }[], outcomes: readonly RecordOutcome[]): void {
    for (const [index, { item }] of ends.entries()) {
      const { kind } = outcomes[index]!;
      if (kind !== "done" && kind !== "refused") continue;
      this.#unsettled.delete(item.txnId);
      if (kind === "done") {
        for (const line of this.#linesOf(item)) line.isSettled = true;
        // Another node has been at the record. Most likely it is done, but it may have been begun to be put out of use.
      } else this.#halfDone.add(item.txnId);
    }
  }

  /** As they were posted, and as an account that was read since has them. */
  #linesOf({ creditLine, debitLine, transfer: { credit, debit }, txnId }: Item): HeldLine[] {
    const held = [debit, credit].map((name) => this.#accounts.peek(name)?.lineOf(txnId));
    return [debitLine, creditLine, ...held].filter((line) => line != null);
  }

  #declaration(ids: readonly string[]): RecordOperation {
    return this.books.swapWave(this.#node, this.#waveVersion, ids);
  }

  #declared(ids: readonly string[], { kind }: RecordOutcome): boolean {
    this.#waveIsKnown = kind === "done";
    if (this.#waveIsKnown) {
      this.#waveVersion += 1;
      this.#waveIds = ids;
    }
    return this.#waveIsKnown;
  }

  /** Reads it after a swap that nothing is known of, or that was refused because another node took this one for dead. */
  async #isWaveKnown(): Promise<boolean> {
    if (this.#waveIsKnown) return true;
    const { outcomes } = await this.call([this.books.readWave(this.#node)]);
    const outcome = outcomes[0]!;
    if (outcome.kind !== "done") return false;
    const { version, ids } = waveOf(outcome.bins);
    if (outcome.bins === null || version === EVICTED_VERSION) {
      await this.#register();
      return true;
    }
    [this.#waveVersion, this.#waveIds, this.#waveIsKnown] = [version, ids, true];
    return true;
  }

  async #register(): Promise<void> {
    const node = randomBytes(6).toString("hex");
    await this.#changeDirectory((nodes) => [...new Set([...nodes, node])]);
    await this.#patiently(async () => {
      const outcome = (await this.call([this.books.swapWave(node, 0, [])])).outcomes[0]!;
      // Nobody else has this name: it was made by an attempt that nothing was heard of.
      return outcome.kind === "refused" ? ({ kind: "done", bins: null } as const) : outcome;
    });
    [this.#node, this.#waveVersion, this.#waveIds, this.#waveIsKnown] = [node, 1, [], true];
  }

  async #changeDirectory(change: (nodes: readonly string[]) => string[]): Promise<void> {
    await this.#patiently(async () => {
      const { outcomes } = await this.call([this.books.readWave(DIRECTORY)]);
      const outcome = outcomes[0]!;
      if (outcome.kind !== "done") return outcome;
      const { version, ids } = waveOf(outcome.bins);
      return (await this.call([this.books.swapWave(DIRECTORY, version, change(ids))])).outcomes[0]!;
    });
  }

  async #finishWave({ ids }: WaveRecord): Promise<void> {
    const outcomes = await this.read(ids.map((txnId) => this.books.readTransfer(txnId)));
    const records = outcomes.flatMap(({ bins }) => (bins === null ? [] : [transferRecordOf(bins)]));
    const left = records.filter(({ stage }) => stage === "pending" || stage === "voiding");
    await Promise.all(left.map((record) => this.finishRecord(record)));
  }

  /** In this order: a node that is there after all finds itself refused, and takes another name. */
  async #forget(node: string, { version }: WaveRecord): Promise<void> {
    if (version > 0) {
      const { outcomes } = await this.call([this.books.evictWave(node, version)]);
      if (outcomes[0]!.kind !== "done") return;
    }
    await this.#changeDirectory((nodes) => nodes.filter((name) => name !== node));
    await this.call([this.books.removeWave(node)]);
    this.#seen.delete(node);
  }

  /** Repeats until all is done. Rejects with `StoreUnavailable`. */
  async #patiently(operations: readonly RecordOperation[]): Promise<(RecordOutcome & { kind: "done" })[]>;
  async #patiently(attempt: () => Promise<RecordOutcome>): Promise<(RecordOutcome & { kind: "done" })[]>;
  async #patiently(
    what: readonly RecordOperation[] | (() => Promise<RecordOutcome>),
  ): Promise<(RecordOutcome & { kind: "done" })[]> {
    const untilMs = performance.now() + this.#options.timeoutMs;
    for (let backoffMs = BACKOFF_MS_MIN; ; backoffMs = Math.min(2 * backoffMs, BACKOFF_MS_MAX)) {
      const outcomes = typeof what === "function" ? [await what()] : (await this.call(what)).outcomes;
      const done = outcomes.filter((outcome) => outcome.kind === "done");
      if (done.length === outcomes.length) return done;
      if (performance.now() > untilMs) throw new StoreUnavailable("Ledger", "the cluster does not answer");
      await Bun.sleep(backoffMs * (0.5 + Math.random()));
    }
  }
}

function ignoreUnavailable(error: unknown): void {
  if (!(error instanceof StoreUnavailable)) throw error;
}

const doneRecordOf = ({ transfer, version, debitLine, creditLine }: Item, node: string): TransferRecord => ({
  transfer,
  stage: "done",
  version,
  node,
  debitSeq: debitLine!.seq,
  creditSeq: creditLine!.seq,
});
