import type { Transfer } from "../stores/ledger/port.ts";

export interface TransferPipelineOptions {
  /** Resolves when all of the batch have happened, rejects otherwise. */
  readonly transfer: (batch: readonly Transfer[]) => Promise<void>;
  /** Everything up to `position` has happened; called in order of position. */
  readonly acknowledged: (position: number) => Promise<void>;
  readonly chunkTransfers: number;
  readonly chunksInFlight: number;
}

/** Sends a long run of transfers in chunks, a few at once, and never more than those in memory. */
export class TransferPipeline {
  readonly #options: TransferPipelineOptions;
  readonly #inFlight: { readonly sent: Promise<void>; readonly position: number }[] = [];
  #chunk: Transfer[] = [];

  constructor(options: TransferPipelineOptions) {
    this.#options = options;
  }

  /** `position` rises. null: go on; a promise: wait for it first, the pipeline is full. */
  add(transfer: Transfer, position: number): Promise<void> | null {
    this.#chunk.push(transfer);
    if (this.#chunk.length < this.#options.chunkTransfers) return null;
    this.#send(position);
    return this.#inFlight.length < this.#options.chunksInFlight ? null : this.#retireOldest();
  }

  /** Sends what is left, up to `position`, and waits for everything. */
  async end(position: number): Promise<void> {
    if (this.#chunk.length > 0) this.#send(position);
    while (this.#inFlight.length > 0) await this.#retireOldest();
  }

  #send(position: number): void {
    const sent = this.#options.transfer(this.#chunk);
    // A failure is thrown when its turn comes; until then it must not count as unhandled.
    sent.catch(() => undefined);
    this.#inFlight.push({ sent, position });
    this.#chunk = [];
  }

  async #retireOldest(): Promise<void> {
    const { sent, position } = this.#inFlight.shift()!;
    await sent;
    await this.#options.acknowledged(position);
  }
}
