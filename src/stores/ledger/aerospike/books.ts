import type { AccountId } from "../../../domain/account.ts";
import { type Paise, paise } from "../../../domain/money.ts";
import type { LedgerLine, Transfer, TransferKind } from "../port.ts";
import type { RecordBins, RecordOperation } from "./records.ts";

/**
 * The records of a ledger. Bins have names of one letter, for each record of each transfer carries them.
 *
 * - `transfers`, by txn id: its body, and where it stands. Never removed: a Community server that starts again may bring back
 *   what was removed, and an old transfer brought back as new would move its money twice.
 * - `accounts`, by name: balance, version, and the newest lines of its history. It changes only by a swap that names the
 *   version before, so no write that was held up on its way can take effect twice.
 * - `lines`, by account and page: the older lines, `LINES_PER_PAGE` each, written once.
 * - `waves`, by node: the ids of the transfers that the node has under way; and one record that names all nodes.
 */
export const SETS = {
  transfers: "transfers",
  accounts: "accounts",
  lines: "lines",
  waves: "waves",
} as const;

export const LINES_PER_PAGE = 64;

/** Marks whose a record is, to find it by a scan. */
export const PREFIX_BIN = "p";

/** A line, and the text that it is kept as. */
export interface HeldLine extends LedgerLine {
  readonly text: string;
  /** Its transfer's record is known to say "done". */
  isSettled: boolean;
}

type LineTuple = [
  seq: number,
  txnId: string,
  kind: TransferKind,
  ref: string,
  atMs: number,
  amount: Paise,
  after: Paise,
];

export function heldLine(line: LedgerLine): HeldLine {
  const { seq, txnId, kind, ref, atMs, amountPaise, balanceAfterPaise } = line;
  const tuple: LineTuple = [seq, txnId, kind, ref, atMs, amountPaise, balanceAfterPaise];
  return { seq, txnId, kind, ref, atMs, amountPaise, balanceAfterPaise, text: JSON.stringify(tuple), isSettled: false };
}

/** A line of JSON each, which has no line break in it: an account that many use is read often, and no text is made anew. */
export const textOfLines = (lines: readonly HeldLine[]): string => lines.map(({ text }) => text).join("\n");

/** `settled`: see `settledText`; "" where all are. */
export function linesOfText(text: string, settled: string): HeldLine[] {
  const texts = text === "" ? [] : text.split("\n");
  const tuples = JSON.parse(`[${texts.join(",")}]`) as LineTuple[];
  return tuples.map(([seq, txnId, kind, ref, atMs, amountPaise, balanceAfterPaise], index) => {
    const isSettled = settled === "" || settled[index] === SETTLED;
    return { seq, txnId, kind, ref, atMs, amountPaise, balanceAfterPaise, text: texts[index]!, isSettled };
  });
}

const SETTLED = "1";

/** A character a line: whoever changes an account tells the others what became of its own lines. */
export const settledText = (lines: readonly HeldLine[]): string =>
  lines.map(({ isSettled }) => (isSettled ? SETTLED : "0")).join("");

/** From the oldest on. */
export function settledCountOf(lines: readonly HeldLine[]): number {
  const first = lines.findIndex(({ isSettled }) => !isSettled);
  return first === -1 ? lines.length : first;
}

export interface AccountRecord {
  /** 0 for an account that is not there yet. */
  readonly version: number;
  readonly balancePaise: Paise;
  /** Of the newest line; 0 for none. */
  readonly lastSeq: number;
  /** How many transfers were put out of use at this account; see Wave. */
  readonly fenceCount: number;
  /** Lines that are in pages and no more in `lines`; whole pages. */
  readonly pagedCount: number;
  /** Oldest first. */
  readonly lines: readonly HeldLine[];
}

export const NO_ACCOUNT: AccountRecord = {
  version: 0,
  balancePaise: paise(0),
  lastSeq: 0,
  fenceCount: 0,
  pagedCount: 0,
  lines: [],
};

export const accountOf = (bins: RecordBins | null): AccountRecord =>
  bins === null
    ? NO_ACCOUNT
    : {
        version: Number(bins["v"]),
        balancePaise: paise(Number(bins["b"])),
        lastSeq: Number(bins["q"]),
        fenceCount: Number(bins["f"]),
        pagedCount: Number(bins["k"]),
        lines: linesOfText(String(bins["r"]), String(bins["d"])),
      };

/** Where a transfer stands. From "pending" on it is either finished or put out of use, by whoever comes across it. */
export const STAGES = ["pending", "done", "voiding", "void"] as const;
export type Stage = (typeof STAGES)[number];

export interface TransferRecord {
  readonly transfer: Transfer;
  readonly stage: Stage;
  /** Changes with every change of the record. */
  readonly version: number;
  /** The node that made it pending. */
  readonly node: string;
  /** Of the debited account's line and of the credited one's; once it is done. */
  readonly debitSeq: number;
  readonly creditSeq: number;
}

type BodyTuple = [
  txnId: string,
  debit: AccountId,
  credit: AccountId,
  amount: Paise,
  kind: TransferKind,
  ref: string,
  atMs: number,
];

/** One number for both, to be asked of in one condition. */
const stateOf = (stage: Stage, version: number): number => version * STAGES.length + STAGES.indexOf(stage);

export function transferRecordOf(bins: RecordBins): TransferRecord {
  const [txnId, debit, credit, amountPaise, kind, ref, atMs] = JSON.parse(String(bins["b"])) as BodyTuple;
  const state = Number(bins["s"]);
  return {
    transfer: { txnId, debit, credit, amountPaise, kind, ref, atMs },
    stage: STAGES[state % STAGES.length]!,
    version: Math.floor(state / STAGES.length),
    node: String(bins["o"]),
    debitSeq: Number(bins["x"] ?? 0),
    creditSeq: Number(bins["y"] ?? 0),
  };
}

const bodyText = ({ txnId, debit, credit, amountPaise, kind, ref, atMs }: Transfer): string => {
  const tuple: BodyTuple = [txnId, debit, credit, amountPaise, kind, ref, atMs];
  return JSON.stringify(tuple);
};

/** Operations on the records of the ledger with this prefix. */
export class Books {
  readonly prefix: string;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  readTransfer(txnId: string): RecordOperation {
    return { kind: "read", set: SETS.transfers, key: this.#key(txnId) };
  }

  /** `voidVersion` of the record of the same id that was put out of use; 0 where there is none. */
  beginTransfer(transfer: Transfer, node: string, voidVersion: number): RecordOperation {
    const at = { set: SETS.transfers, key: this.#key(transfer.txnId) };
    const body = { b: bodyText(transfer), o: node };
    return voidVersion === 0
      ? { ...at, kind: "create", bins: { [PREFIX_BIN]: this.prefix, ...body, s: stateOf("pending", 1) } }
      : {
          ...at,
          kind: "swap",
          bin: "s",
          is: stateOf("void", voidVersion),
          bins: { ...body, s: stateOf("pending", voidVersion + 1) },
        };
  }

  endTransfer(
    txnId: string,
    version: number,
    seqs: { readonly debit: number; readonly credit: number },
  ): RecordOperation {
    return {
      kind: "swap",
      set: SETS.transfers,
      key: this.#key(txnId),
      bin: "s",
      is: stateOf("pending", version),
      bins: { s: stateOf("done", version + 1), x: seqs.debit, y: seqs.credit },
    };
  }

  stepTransfer(txnId: string, from: { stage: Stage; version: number }, to: Stage): RecordOperation {
    return {
      kind: "swap",
      set: SETS.transfers,
      key: this.#key(txnId),
      bin: "s",
      is: stateOf(from.stage, from.version),
      bins: { s: stateOf(to, from.version + 1) },
    };
  }

  readAccount(account: AccountId): RecordOperation {
    return { kind: "read", set: SETS.accounts, key: this.#key(account) };
  }

  swapAccount(account: AccountId, versionBefore: number, after: Omit<AccountRecord, "version">): RecordOperation {
    const at = { set: SETS.accounts, key: this.#key(account) };
    const bins = {
      v: versionBefore + 1,
      b: after.balancePaise,
      q: after.lastSeq,
      f: after.fenceCount,
      k: after.pagedCount,
      d: settledText(after.lines),
      r: textOfLines(after.lines),
    };
    return versionBefore === 0
      ? { ...at, kind: "create", bins: { [PREFIX_BIN]: this.prefix, n: account, ...bins } }
      : { ...at, kind: "swap", bin: "v", is: versionBefore, bins };
  }

  readPage(account: AccountId, page: number): RecordOperation {
    return { kind: "read", set: SETS.lines, key: this.#key(`${account}#${page}`) };
  }

  /** Whoever writes a page writes the same. */
  writePage(account: AccountId, page: number, lines: readonly HeldLine[]): RecordOperation {
    return {
      kind: "write",
      set: SETS.lines,
      key: this.#key(`${account}#${page}`),
      bins: { [PREFIX_BIN]: this.prefix, r: textOfLines(lines) },
    };
  }

  readWave(node: string): RecordOperation {
    return { kind: "read", set: SETS.waves, key: this.#key(node) };
  }

  /** Of ids; of nodes, for the record that names all of them. */
  swapWave(node: string, versionBefore: number, ids: readonly string[]): RecordOperation {
    const at = { set: SETS.waves, key: this.#key(node) };
    const bins = { v: versionBefore + 1, r: JSON.stringify(ids) };
    return versionBefore === 0
      ? { ...at, kind: "create", bins: { [PREFIX_BIN]: this.prefix, ...bins } }
      : { ...at, kind: "swap", bin: "v", is: versionBefore, bins };
  }

  /** Of a node that seems to be gone; if it is not, none of its swaps succeeds any more, and it takes another name. */
  evictWave(node: string, version: number): RecordOperation {
    const at = { set: SETS.waves, key: this.#key(node) };
    return { ...at, kind: "swap", bin: "v", is: version, bins: { v: EVICTED_VERSION, r: "[]" } };
  }

  removeWave(node: string): RecordOperation {
    return { kind: "remove", set: SETS.waves, key: this.#key(node) };
  }

  #key(name: string): string {
    return `${this.prefix}:${name}`;
  }
}

/** The record that names all nodes is kept beside their waves, under a name that no node has. */
export const DIRECTORY = "nodes";

export const EVICTED_VERSION = -1;

export interface WaveRecord {
  /** 0 where there is none. */
  readonly version: number;
  readonly ids: readonly string[];
}

export const waveOf = (bins: RecordBins | null): WaveRecord =>
  bins === null
    ? { version: 0, ids: [] }
    : { version: Number(bins["v"]), ids: JSON.parse(String(bins["r"])) as string[] };
