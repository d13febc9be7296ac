import type { AccountId } from "../../../domain/account.ts";
import { type Paise, paise } from "../../../domain/money.ts";
import { type AccountRecord, type Books, type HeldLine, heldLine, LINES_PER_PAGE, settledCountOf } from "./books.ts";
import type { LedgerLine } from "../port.ts";
import type { RecordOperation } from "./records.ts";

/** So many pages of lines may be in a record before anyone asks what became of lines that nobody has told of. */
const PAGES_UNTOLD = 4;

/** A change of the record that was asked for; it counts once the store says so. */
export interface Swap {
  readonly operation: RecordOperation;
  readonly added: readonly HeldLine[];
  readonly after: Omit<AccountRecord, "version">;
}

/**
 * An account as this node saw it last. Others may have changed it since: then the next swap is refused, and it is read again.
 * Reads of it need no swap to be right about the past: its lines are facts.
 */
export class HeldAccount {
  readonly name: AccountId;
  #record: AccountRecord;
  /** Tick of the call that read or changed it last. */
  seenAt: number;
  /** To be read again before it is used. */
  isStale = false;
  /** So many of its lines, from the oldest, are in pages too. */
  #writtenCount = 0;
  #byTxn: Map<string, HeldLine> | null = null;

  /** `before`: the account as this node held it until now, of which it knows more than the record says. */
  constructor(name: AccountId, record: AccountRecord, seenAt: number, before?: HeldAccount) {
    this.name = name;
    this.#record = record;
    this.seenAt = seenAt;
    if (before === undefined) return;
    const leftCount = record.pagedCount - before.#record.pagedCount;
    // What was read is older: a server has lost its newest writes.
    if (leftCount < 0) return;
    this.#writtenCount = Math.min(Math.max(0, before.#writtenCount - leftCount), record.lines.length);
    for (const [index, line] of record.lines.entries()) {
      const known = before.#record.lines[index + leftCount];
      if (known?.txnId === line.txnId) line.isSettled ||= known.isSettled;
    }
  }

  get balancePaise(): Paise {
    return this.#record.balancePaise;
  }

  get lastSeq(): number {
    return this.#record.lastSeq;
  }

  /**
   * Whether between the two states something may have happened that the lines of this one do not show: lines that came and
   * went to pages, or a transfer put out of use.
   */
  hidesChangesSince(earlier: HeldAccount): boolean {
    const { pagedCount, lines, fenceCount } = earlier.#record;
    return this.#record.pagedCount > pagedCount + lines.length || this.#record.fenceCount !== fenceCount;
  }

  lineOf(txnId: string): HeldLine | null {
    this.#byTxn ??= new Map(this.#record.lines.map((line) => [line.txnId, line]));
    return this.#byTxn.get(txnId) ?? null;
  }

  /** Lines whose transfers this node does not know to be done, and that keep a page from leaving the record. */
  unsettledInFirstPage(): readonly HeldLine[] {
    const { lines } = this.#record;
    if (lines.length < PAGES_UNTOLD * LINES_PER_PAGE) return [];
    return lines.slice(0, LINES_PER_PAGE).filter(({ isSettled }) => !isSettled);
  }

  /** Writes of the pages that are full and not written. */
  pagesToWrite(books: Books): { readonly operation: RecordOperation; readonly written: () => void }[] {
    const { lines, pagedCount } = this.#record;
    const pages: { operation: RecordOperation; written: () => void }[] = [];
    for (let at = this.#writtenCount; at + LINES_PER_PAGE <= lines.length; at += LINES_PER_PAGE) {
      const page = (pagedCount + at) / LINES_PER_PAGE;
      const end = at + LINES_PER_PAGE;
      pages.push({
        operation: books.writePage(this.name, page, lines.slice(at, end)),
        // In their order: a page behind one that failed is written again.
        written: () => {
          if (this.#writtenCount === at) this.#writtenCount = end;
        },
      });
    }
    return pages;
  }

  post(books: Books, entries: readonly Omit<LedgerLine, "balanceAfterPaise">[]): Swap {
    let { balancePaise, lastSeq } = this.#record;
    const added = entries.map((entry) => {
      balancePaise = paise(balancePaise + entry.amountPaise);
      lastSeq = entry.seq;
      return heldLine({ ...entry, balanceAfterPaise: balancePaise });
    });
    const leaving = this.#leavingCount();
    const lines = [...this.#record.lines.slice(leaving), ...added];
    const { fenceCount, pagedCount } = this.#record;
    return this.#swap(books, added, { balancePaise, lastSeq, fenceCount, pagedCount: pagedCount + leaving, lines });
  }

  /** Changes nothing but the version, so that no write that is on its way takes effect. */
  fence(books: Books): Swap {
    const { version: _version, ...record } = this.#record;
    return this.#swap(books, [], { ...record, fenceCount: record.fenceCount + 1 });
  }

  swapped({ after }: Swap, tick: number): void {
    const { version, pagedCount } = this.#record;
    this.#writtenCount -= after.pagedCount - pagedCount;
    this.#record = { version: version + 1, ...after };
    this.#byTxn = null;
    this.seenAt = tick;
  }

  #swap(books: Books, added: readonly HeldLine[], after: Omit<AccountRecord, "version">): Swap {
    return { operation: books.swapAccount(this.name, this.#record.version, after), added, after };
  }

  /** Whole pages that are written and whose transfers are done: until then a line says that its transfer was posted here. */
  #leavingCount(): number {
    const count = Math.min(this.#writtenCount, settledCountOf(this.#record.lines));
    return count - (count % LINES_PER_PAGE);
  }
}
