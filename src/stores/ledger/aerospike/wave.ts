import { assert } from "../../../domain/assert.ts";
import { type AccountId, mayOverdraw } from "../../../domain/account.ts";
import { accountOf, type Books, type HeldLine, transferRecordOf, type TransferRecord } from "./books.ts";
import { HeldAccount, type Swap } from "./held-account.ts";
import { Item, sameBody, type Side } from "./item.ts";
import type { Transfer, TransferRefusal } from "../port.ts";
import type { RecordOperation, RecordOutcome } from "./records.ts";

/** Whether the store did what it was asked; "trouble" says to wait a little before it is asked again. */
export type Progress = "fine" | "trouble";

/** What a wave needs of its node. */
export interface WaveStore {
  readonly books: Books;
  /** The name that this node has now. */
  readonly node: string;
  /** One call to the store; the tick counts calls. */
  call(operations: readonly RecordOperation[]): Promise<{ readonly tick: number; readonly outcomes: RecordOutcome[] }>;
  account(name: AccountId): HeldAccount | undefined;
  hold(account: HeldAccount): void;
  /** A transfer that this node has finished and whose record may not say so yet. */
  finished(txnId: string): Item | undefined;
  finish(item: Item): void;
}

interface Posting {
  readonly item: Item;
  readonly side: Side;
  readonly seq: number;
}

/** An account as it will be after the items before. */
interface Tentative {
  readonly held: HeldAccount;
  balancePaise: number;
  lastSeq: number;
  readonly postings: Posting[];
}

/** What is to be asked of the store next. The first that is not empty is. */
interface Plan {
  readonly stale: readonly HeldAccount[];
  readonly toRead: readonly Item[];
  readonly toVoid: readonly Item[];
  readonly toBegin: readonly Item[];
  readonly accounts: ReadonlyMap<AccountId, Tentative>;
}

/**
 * Transfers that are carried out together, in their order, by as few calls to the store as there are steps:
 *
 * 1. The transfer's record is created "pending". Whose creation succeeds is the one that answers "new".
 * 2. The debited account gets the line and the balance by a swap: only if its version is still the one that the decision was
 *    made on. Here the transfer has happened: whatever comes, it will be finished.
 * 3. The credited account likewise. The caller has its answer.
 * 4. The record becomes "done", with the calls of the next wave.
 *
 * All lines of one account go in one swap, up to the first credit whose debit is not there yet. So an account that a thousand
 * transfers touch is written once or twice, and no state that a crash can leave holds money that nobody paid in.
 *
 * Exactly once: an account's line stays in its record until the transfer's record is done. So who reads the account first and
 * the transfer after it, and finds no line and "pending", knows that the line is not posted; and the swap with that version
 * makes it so that nobody posts it in between. This holds for any number of nodes, and for writes that arrive late.
 *
 * A begun transfer is refused (others took the funds) by steps that anyone may repeat: "voiding"; a swap of the debited account
 * that changes nothing, a fence for whoever is about to post; "void". A void record stands for no record.
 */
export class Wave {
  readonly #store: WaveStore;
  readonly #items: Item[];
  #lastTick = 0;

  constructor(store: WaveStore, items: readonly Item[]) {
    this.#store = store;
    this.#items = [...items];
  }

  get open(): Item[] {
    return this.#items.filter(({ result }) => result === null);
  }

  /** One step for the items that can go together; repeated until none is open. */
  async step(): Promise<Progress> {
    const head = this.#head();
    const missing = this.#missingAccounts(head);
    if (missing.length > 0) return this.#readAccounts(missing);
    const plan = this.#plan(head);
    if (plan.stale.length > 0) return this.#readAccounts(plan.stale.map(({ name }) => name));
    if (plan.toRead.length > 0) return this.#readTransfers(plan.toRead);
    if (plan.toVoid.length > 0) return this.#voidAll(plan.toVoid);
    if (plan.toBegin.length > 0) return this.#begin(plan.toBegin);
    return this.#post(plan.accounts);
  }

  /** Up to the first that waits for another one with its id. */
  #head(): Item[] {
    const head: Item[] = [];
    const ids = new Set<string>();
    for (const item of this.#items) {
      if (item.result !== null) continue;
      const finished = this.#store.finished(item.txnId);
      if (finished) {
        item.answerAs(finished.transfer);
        continue;
      }
      if (ids.has(item.txnId)) break;
      ids.add(item.txnId);
      head.push(item);
    }
    return head;
  }

  #missingAccounts(head: readonly Item[]): AccountId[] {
    const missing = new Set<AccountId>();
    for (const { transfer } of head) {
      for (const name of [transfer.debit, transfer.credit]) {
        const held = this.#store.account(name);
        if (!held || held.isStale) missing.add(name);
      }
    }
    return [...missing];
  }

  #plan(head: readonly Item[]): Plan {
    const accounts = new Map<AccountId, Tentative>();
    const [stale, toRead, toVoid, toBegin] = [new Set<HeldAccount>(), [] as Item[], [] as Item[], [] as Item[]];

    const tentative = (name: AccountId): Tentative => {
      const known = accounts.get(name);
      if (known) return known;
      const held = this.#store.account(name)!;
      const fresh = { held, balancePaise: held.balancePaise, lastSeq: held.lastSeq, postings: [] };
      accounts.set(name, fresh);
      return fresh;
    };
    const look = (held: HeldAccount, item: Item): void => {
      stale.add(held);
      held.isStale = true;
      assert(held.seenAt <= item.submittedAt, "an account that was read since is fresh");
    };

    for (const item of head) {
      const { transfer } = item;
      const [from, to] = [tentative(transfer.debit), tentative(transfer.credit)];
      if (item.mustRead) toRead.push(item);
      else if (item.stage === "voiding") toVoid.push(item);
      else if (item.stage === "pending") {
        if (item.debitLine === null && isShort(from, transfer)) {
          // Those before it may leave it the funds or not: they go first.
          if (from.postings.length > 0) break;
          if (from.held.seenAt <= item.submittedAt) look(from.held, item);
          else toVoid.push(item);
        } else {
          postTentatively(item, from, to);
        }
      } else {
        const refusal = refusalOf(item, from);
        if (refusal === null) {
          toBegin.push(item);
          postTentatively(item, from, to);
        } else if (refusal === "insufficient_funds" && from.postings.length > 0) break;
        else if (refusal === "insufficient_funds" && from.held.seenAt <= item.submittedAt) look(from.held, item);
        // A known id comes before any refusal. It is asked after the funds: had it been posted before, it would be known now.
        else if (item.stage === "absent" && item.absentAt > Math.max(item.submittedAt, from.held.seenAt)) {
          item.answer({ ok: false, refusal });
        } else toRead.push(item);
      }
    }
    return { stale: [...stale], toRead, toVoid, toBegin, accounts };
  }

  /**
   * Looks for the lines of a begun transfer in the accounts as they are held. At once when one of them, or the transfer, was
   * read: with the next read of an account its older lines may have gone.
   */
  #findLines(item: Item): void {
    item.debitLine ??= this.#store.account(item.transfer.debit)?.lineOf(item.txnId) ?? null;
    item.creditLine ??= this.#store.account(item.transfer.credit)?.lineOf(item.txnId) ?? null;
    if (item.debitLine !== null && item.creditLine !== null) this.#finish(item);
  }

  #finish(item: Item): void {
    this.#store.finish(item);
    item.answer({ ok: true, replayed: !item.isOwn });
  }

  async #readAccounts(names: readonly AccountId[]): Promise<Progress> {
    const { tick, outcomes } = await this.#store.call(names.map((name) => this.#store.books.readAccount(name)));
    let progress: Progress = "fine";
    for (const [index, name] of names.entries()) {
      const outcome = outcomes[index]!;
      if (outcome.kind === "done")
        this.#hold(new HeldAccount(name, accountOf(outcome.bins), tick, this.#store.account(name)));
      else progress = "trouble";
    }
    return progress;
  }

  #hold(account: HeldAccount): void {
    const before = this.#store.account(account.name);
    this.#store.hold(account);
    const isUncertain = before === undefined || account.hidesChangesSince(before);
    for (const item of this.#items) {
      if (item.result !== null || item.stage !== "pending") continue;
      const { debit, credit } = item.transfer;
      if (debit !== account.name && credit !== account.name) continue;
      if (isUncertain) item.mustRead = true;
      this.#findLines(item);
    }
  }

  async #readTransfers(items: readonly Item[]): Promise<Progress> {
    const { tick, outcomes } = await this.#store.call(items.map(({ txnId }) => this.#store.books.readTransfer(txnId)));
    let progress: Progress = "fine";
    for (const [index, item] of items.entries()) {
      const outcome = outcomes[index]!;
      if (outcome.kind !== "done") {
        progress = "trouble";
        continue;
      }
      item.mustRead = false;
      const record = outcome.bins === null ? null : transferRecordOf(outcome.bins);
      if (record === null) item.leave(0, tick);
      else if (record.stage === "void") item.leave(record.version, tick);
      else if (record.stage === "done") item.meetDone(record, this.#store.node);
      else this.#meetUnfinished(item, record);
    }
    return progress;
  }

  /** Somebody's transfer with this id is under way or was left half done: it is finished before anything is said of this one. */
  #meetUnfinished(item: Item, record: TransferRecord): void {
    if (sameBody(item.transfer, record.transfer)) {
      item.take(record, this.#store.node);
      if (item.stage === "pending") this.#findLines(item);
      return;
    }
    item.mustRead = true;
    this.#items.splice(this.#items.indexOf(item), 0, Item.leftBehind(record, item.submittedAt, this.#store.node));
  }

  async #begin(items: readonly Item[]): Promise<Progress> {
    const { books, node } = this.#store;
    const operations = items.map(({ transfer, version }) => books.beginTransfer(transfer, node, version));
    const { outcomes } = await this.#store.call(operations);
    let progress: Progress = "fine";
    for (const [index, item] of items.entries()) {
      const { kind } = outcomes[index]!;
      if (kind === "done") {
        item.stage = "pending";
        item.version += 1;
        item.isOwn = true;
      } else if (kind === "busy") progress = "trouble";
      else {
        item.mustRead = true;
        item.isBegun ||= kind === "unknown";
        if (kind === "unknown") progress = "trouble";
      }
    }
    return progress;
  }

  async #post(accounts: ReadonlyMap<AccountId, Tentative>): Promise<Progress> {
    const queues = [...accounts.values()].filter(({ postings }) => postings.length > 0);
    for (;;) {
      const swaps: { held: HeldAccount; ready: Posting[]; swap: Swap }[] = [];
      for (const { held, postings } of queues) {
        const ready = readyOf(postings);
        if (ready.length === 0) continue;
        const entries = ready.map(({ item, side, seq }) => item.entry(side, seq));
        swaps.push({ held, ready, swap: held.post(this.#store.books, entries) });
      }
      if (swaps.length === 0) return "fine";
      const { tick, outcomes } = await this.#store.call(swaps.map(({ swap }) => swap.operation));
      let [isRefused, progress]: [boolean, Progress] = [false, "fine"];
      for (const [index, { held, ready, swap }] of swaps.entries()) {
        const { kind } = outcomes[index]!;
        if (kind === "done") {
          held.swapped(swap, tick);
          for (const [place, { item, side }] of ready.entries()) this.#posted(item, side, swap.added[place]!);
          accounts.get(held.name)!.postings.splice(0, ready.length);
          continue;
        }
        if (kind !== "refused") progress = "trouble";
        if (kind !== "busy") held.isStale = true;
        isRefused = true;
      }
      if (isRefused) return progress;
    }
  }

  #posted(item: Item, side: Side, line: HeldLine): void {
    if (side === "debit") item.debitLine = line;
    else item.creditLine = line;
    if (item.debitLine !== null && item.creditLine !== null) this.#finish(item);
  }

  async #voidAll(items: readonly Item[]): Promise<Progress> {
    for (const item of items) {
      if ((await this.#void(item)) === "trouble") return "trouble";
    }
    return "fine";
  }

  async #void(item: Item): Promise<Progress> {
    if (item.stage === "pending") {
      const stepped = await this.#stepTransfer(item, "voiding");
      if (stepped !== null) return stepped;
      item.stage = "voiding";
    }
    const { books } = this.#store;
    const name = item.transfer.debit;
    for (;;) {
      const progress = await this.#readAccounts([name]);
      if (progress === "trouble") return progress;
      const held = this.#store.account(name)!;
      if (held.lineOf(item.txnId) !== null) {
        const stepped = await this.#stepTransfer(item, "pending");
        if (stepped !== null) return stepped;
        item.stage = "pending";
        this.#findLines(item);
        return "fine";
      }
      const fence = held.fence(books);
      const { tick, outcomes } = await this.#store.call([fence.operation]);
      const { kind } = outcomes[0]!;
      if (kind === "done") {
        held.swapped(fence, tick);
        break;
      }
      held.isStale = true;
      if (kind !== "refused") return "trouble";
    }
    const stepped = await this.#stepTransfer(item, "void");
    if (stepped !== null) return stepped;
    item.leave(item.version, this.#lastTick);
    return "fine";
  }

  /** null: the step is done. Otherwise the record is to be read again. */
  async #stepTransfer(item: Item, to: "voiding" | "pending" | "void"): Promise<Progress | null> {
    assert(item.stage === "pending" || item.stage === "voiding", "only what is begun is put out of use");
    const from = { stage: item.stage, version: item.version };
    const { tick, outcomes } = await this.#store.call([this.#store.books.stepTransfer(item.txnId, from, to)]);
    this.#lastTick = tick;
    const { kind } = outcomes[0]!;
    if (kind === "done") {
      item.version += 1;
      return null;
    }
    item.mustRead = true;
    return kind === "refused" ? "fine" : "trouble";
  }
}

/** Up to the first credit whose debit is not there yet. */
function readyOf(postings: readonly Posting[]): Posting[] {
  const end = postings.findIndex(({ item, side }) => side === "credit" && item.debitLine === null);
  return end === -1 ? [...postings] : postings.slice(0, end);
}

const isShort = (from: Tentative, { debit, amountPaise }: Transfer): boolean =>
  !mayOverdraw(debit) && from.balancePaise < amountPaise;

function refusalOf({ transfer }: Item, from: Tentative): TransferRefusal | null {
  if (transfer.debit === transfer.credit) return "same_account";
  if (transfer.amountPaise <= 0) return "amount_not_positive";
  return isShort(from, transfer) ? "insufficient_funds" : null;
}

/** Both lines get one seq, unless others have used the credited account meanwhile: then its line gets a later one. */
function postTentatively(item: Item, from: Tentative, to: Tentative): void {
  const { amountPaise } = item.transfer;
  let seq = item.debitLine?.seq;
  if (seq === undefined) {
    seq = Math.max(from.lastSeq, to.lastSeq) + 1;
    from.lastSeq = seq;
    from.balancePaise -= amountPaise;
    from.postings.push({ item, side: "debit", seq });
  }
  if (item.creditLine !== null) return;
  to.lastSeq = Math.max(seq, to.lastSeq + 1);
  to.balancePaise += amountPaise;
  to.postings.push({ item, side: "credit", seq: to.lastSeq });
}
