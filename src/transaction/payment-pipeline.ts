import type { AccountId } from "../domain/account.ts";
import type { EntryId } from "../domain/ids.ts";
import type { Paise } from "../domain/money.ts";

/** To the wallet of the user of an entry. */
export interface EntryPayment {
  readonly debit: AccountId;
  readonly entryId: EntryId;
  readonly amountPaise: Paise;
}

export interface PaymentPipelineOptions {
  /** Resolves when all of the chunk have happened, rejects otherwise. */
  readonly pay: (chunk: readonly EntryPayment[]) => Promise<void>;
  /** Everything up to this entry has happened; called in order of entry id. */
  readonly acknowledged: (entry: EntryId) => Promise<void>;
  readonly chunkPayments: number;
  readonly chunksInFlight: number;
}

/** Sends a long run of payments in order of entry id, in chunks, a few at once, and never more than those in memory. */
export class PaymentPipeline {
  readonly #options: PaymentPipelineOptions;
  readonly #inFlight: { readonly paid: Promise<void>; readonly last: EntryId }[] = [];
  #chunk: EntryPayment[] = [];

  constructor(options: PaymentPipelineOptions) {
    this.#options = options;
  }

  /** null: go on; a promise: wait for it first, the pipeline is full. */
  add(payment: EntryPayment): Promise<void> | null {
    this.#chunk.push(payment);
    if (this.#chunk.length < this.#options.chunkPayments) return null;
    this.#send();
    return this.#inFlight.length < this.#options.chunksInFlight ? null : this.#retireOldest();
  }

  /** Sends what is left and waits for everything. */
  async end(): Promise<void> {
    if (this.#chunk.length > 0) this.#send();
    while (this.#inFlight.length > 0) await this.#retireOldest();
  }

  #send(): void {
    const paid = this.#options.pay(this.#chunk);
    // A failure is thrown when its turn comes; until then it must not count as unhandled.
    paid.catch(() => undefined);
    this.#inFlight.push({ paid, last: this.#chunk.at(-1)!.entryId });
    this.#chunk = [];
  }

  async #retireOldest(): Promise<void> {
    const { paid, last } = this.#inFlight.shift()!;
    await paid;
    await this.#options.acknowledged(last);
  }
}
