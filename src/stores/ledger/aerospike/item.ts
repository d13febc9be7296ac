import { assert } from "../../../domain/assert.ts";
import type { Paise } from "../../../domain/money.ts";
import type { LedgerLine, Transfer, TransferResult } from "../port.ts";
import type { HeldLine, TransferRecord } from "./books.ts";

export type Side = "debit" | "credit";

/**
 * One transfer on its way through a wave, for a caller or because somebody left it half done. What is known of its record:
 *
 * - "unknown": nothing; tried as new.
 * - "absent": there was none, or one that is void, at the tick `absentAt`.
 * - "pending": it is begun and stands; to be finished. From then on it is refused only by making it void.
 * - "voiding": somebody has begun to put it out of use.
 */
export class Item {
  /** As the record has it, once there is one: a retry comes with a later time. */
  transfer: Transfer;
  readonly submittedAt: number;
  readonly submittedMs: number;
  stage: "unknown" | "absent" | "pending" | "voiding" = "unknown";
  /** Of the record; of the void one while it is absent. 0 for none. */
  version = 0;
  absentAt = 0;
  /** This node has asked for the record to be made. */
  isBegun = false;
  /** ... and it was. The caller hears that the transfer is new. */
  isOwn = false;
  mustRead = false;
  debitLine: HeldLine | null = null;
  creditLine: HeldLine | null = null;
  result: TransferResult | null = null;
  /** Nobody waits for it: it is finished or put out of use, and never begun again. */
  readonly #isLeftBehind: boolean;
  readonly #answer: (result: TransferResult) => void;
  readonly fail: (error: unknown) => void;

  constructor(
    transfer: Transfer,
    submitted: { readonly at: number; readonly ms: number },
    answer: (result: TransferResult) => void,
    fail: (error: unknown) => void,
    isLeftBehind = false,
  ) {
    this.#isLeftBehind = isLeftBehind;
    this.transfer = transfer;
    this.submittedAt = submitted.at;
    this.submittedMs = submitted.ms;
    this.#answer = answer;
    this.fail = fail;
  }

  /** Of a record that is neither done nor void. */
  static leftBehind(
    record: TransferRecord,
    at: number,
    ownNode: string,
    answer: (result: TransferResult) => void = () => undefined,
    fail: (error: unknown) => void = () => undefined,
  ): Item {
    const item = new Item(record.transfer, { at, ms: performance.now() }, answer, fail, true);
    item.take(record, ownNode);
    // Accounts may have been read since the record was.
    item.mustRead = true;
    return item;
  }

  get txnId(): string {
    return this.transfer.txnId;
  }

  answer(result: TransferResult): void {
    assert(this.result === null, "a transfer is answered once");
    this.result = result;
    this.#answer(result);
  }

  /** What the record of a transfer that is done answers. */
  meetDone({ transfer, node }: TransferRecord, ownNode: string): void {
    this.isOwn = this.#hasBegun(node, ownNode);
    this.answerAs(transfer);
  }

  /** What a known transfer answers. */
  answerAs(known: Transfer): void {
    if (sameBody(known, this.transfer)) this.answer({ ok: true, replayed: !this.isOwn });
    else this.answer({ ok: false, refusal: "txn_mismatch" });
  }

  /** The record is this transfer and not done. */
  take({ transfer, stage, version, node }: TransferRecord, ownNode: string): void {
    this.transfer = transfer;
    this.stage = stage === "voiding" ? "voiding" : "pending";
    this.version = version;
    this.isOwn = this.#hasBegun(node, ownNode);
  }

  /** The record may have been put out of use meanwhile, and begun by another node that wants the same. */
  #hasBegun(node: string, ownNode: string): boolean {
    return node === ownNode && (this.isOwn || this.isBegun);
  }

  /** There is no record that stands. */
  leave(voidVersion: number, tick: number): void {
    this.stage = "absent";
    this.version = voidVersion;
    this.absentAt = tick;
    this.isOwn = false;
    this.debitLine = null;
    if (this.#isLeftBehind) this.answer({ ok: false, refusal: "insufficient_funds" });
  }

  entry(side: Side, seq: number): Omit<LedgerLine, "balanceAfterPaise"> {
    const { txnId, kind, ref, atMs, amountPaise } = this.transfer;
    return { seq, txnId, kind, ref, atMs, amountPaise: side === "debit" ? (-amountPaise as Paise) : amountPaise };
  }
}

export const sameBody = (a: Transfer, b: Transfer): boolean =>
  a.debit === b.debit &&
  a.credit === b.credit &&
  a.amountPaise === b.amountPaise &&
  a.kind === b.kind &&
  a.ref === b.ref;
