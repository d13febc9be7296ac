import { PeerClient, PeerUnavailable } from "../../cluster/peers.ts";
import type { Paise } from "../../domain/money.ts";
import { StoreUnavailable } from "../unavailable.ts";
import type { Ledger, LedgerAudit, LedgerLine, LedgerTransfer, Transfer, TransferResult } from "./port.ts";
import type { ServedTransfers } from "./served.ts";

export interface RemoteLedgerOptions {
  /** `powerplay://host:port`, as `powerplay ledger` prints it. */
  readonly url: string;
  /** The cluster's. */
  readonly secret: string;
  readonly timeoutMs: number;
  /** An audit reads every transfer there is. */
  readonly auditTimeoutMs: number;
  readonly bodyBytesMax: number;
  /** Transfers of one question. */
  readonly waveTransfersMax: number;
  /** Calls that may wait; past it callers hear `StoreUnavailable`. */
  readonly pendingMax: number;
}

interface Waiting {
  readonly batch: readonly Transfer[];
  readonly answered: PromiseWithResolvers<TransferResult[]>;
}

/**
 * The ledger that one other process keeps in its embedded engine and serves (`powerplay ledger`): for development and CI on
 * machines without Aerospike. That process is a single point of failure; while it is away no money moves. Not for production.
 *
 * Transfers that come while a question is under way are the next question, so the commits there are as large as those of a
 * node that has the ledger in itself. Rejects with an error that names the address and the remedy.
 */
export async function openRemoteLedger(options: RemoteLedgerOptions): Promise<Ledger> {
  const address = /^powerplay:\/\/([^/?#@\s]+:\d+)\/?$/.exec(options.url)?.[1];
  if (address === undefined) throw new Error("LEDGER_URL has another form than powerplay://host:port");
  const ledger = new RemoteLedger(`http://${address}`, options);
  try {
    await ledger.balances([]);
  } catch (error) {
    throw new Error(
      `LEDGER_URL: no ledger answers at ${address} (${error instanceof Error ? error.message : String(error)}). ` +
        "Start one there with `powerplay ledger`, with the CLUSTER_SECRET of this node",
      { cause: error },
    );
  }
  return ledger;
}

class RemoteLedger implements Ledger {
  readonly #url: string;
  readonly #options: RemoteLedgerOptions;
  readonly #client: PeerClient;
  readonly #auditor: PeerClient;
  readonly #underWay = new Set<Promise<unknown>>();
  #waiting: Waiting[] = [];
  #sending: Promise<void> | null = null;
  #isClosed = false;

  constructor(url: string, options: RemoteLedgerOptions) {
    this.#url = url;
    this.#options = options;
    this.#client = new PeerClient(options);
    this.#auditor = new PeerClient({ ...options, timeoutMs: options.auditTimeoutMs });
  }

  transfer(batch: readonly Transfer[]): Promise<TransferResult[]> {
    if (this.#isClosed || this.#waiting.length >= this.#options.pendingMax) {
      return Promise.reject(new StoreUnavailable("Ledger", this.#isClosed ? "it is closed" : "too many calls wait"));
    }
    const answered = Promise.withResolvers<TransferResult[]>();
    this.#waiting.push({ batch, answered });
    this.#sending ??= this.#sendAll();
    return answered.promise;
  }

  payEntries(payments: Parameters<Ledger["payEntries"]>[0]): Promise<TransferResult[]> {
    return this.#ask("payEntries", payments) as Promise<TransferResult[]>;
  }

  balances(accounts: Parameters<Ledger["balances"]>[0]): Promise<Paise[]> {
    return this.#ask("balances", accounts) as Promise<Paise[]>;
  }

  history(...question: Parameters<Ledger["history"]>): Promise<LedgerLine[]> {
    return this.#ask("history", question) as Promise<LedgerLine[]>;
  }

  find(txnId: string): Promise<LedgerTransfer | null> {
    return this.#ask("find", txnId) as Promise<LedgerTransfer | null>;
  }

  audit(): Promise<LedgerAudit> {
    return this.#ask("audit", null, this.#auditor) as Promise<LedgerAudit>;
  }

  /** Resolves when what is under way is answered. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#sending;
    await Promise.allSettled(this.#underWay);
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const wave = this.#nextWave();
      try {
        const batches = wave.map(({ batch }) => batch);
        const served = (await this.#ask("transfer", batches)) as readonly ServedTransfers[];
        for (const [index, { answered }] of wave.entries()) {
          const answer = served[index]!;
          if ("results" in answer) answered.resolve([...answer.results]);
          else answered.reject(new StoreUnavailable("Ledger", answer.failed));
        }
      } catch (error) {
        for (const { answered } of wave) answered.reject(error);
      }
    }
    // In the same step as the last look: nobody may find it sending when it has ended.
    this.#sending = null;
  }

  /** At least one call, and no more transfers than fit; a call is never split. */
  #nextWave(): Waiting[] {
    let transferCount = 0;
    let callCount = 0;
    for (const { batch } of this.#waiting) {
      transferCount += batch.length;
      if (callCount > 0 && transferCount > this.#options.waveTransfersMax) break;
      callCount++;
    }
    const wave = this.#waiting.slice(0, callCount);
    this.#waiting = this.#waiting.slice(callCount);
    return wave;
  }

  #ask(call: string, argument: unknown, client = this.#client): Promise<unknown> {
    const asked = client
      .call(this.#url, `ledger-${call}`, argument)
      .catch((error: unknown) => {
        if (!(error instanceof PeerUnavailable)) throw error;
        throw new StoreUnavailable("Ledger", error.message, { cause: error });
      })
      .finally(() => this.#underWay.delete(asked));
    this.#underWay.add(asked);
    return asked;
  }
}
