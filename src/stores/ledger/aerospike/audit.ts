import { type AccountId, mayOverdraw } from "../../../domain/account.ts";
import { type Paise, paise } from "../../../domain/money.ts";
import { StoreUnavailable } from "../../unavailable.ts";
import type { LedgerAudit, TransferKind } from "../port.ts";
import { PREFIX_BIN, SETS, type TransferRecord, transferRecordOf } from "./books.ts";
import type { LedgerNode } from "./node.ts";
import { type RecordBins, whereText } from "./records.ts";
import { PARTITION_COUNT, type ScanRange, type Session } from "./session.ts";

/** Of one scan; it adapts to how many records a partition holds. */
const RECORDS_PER_SCAN_MAX = 50_000;

/**
 * Compares each balance with what the transfers say, exactly, while the ledger is in use: all accounts are read first, each
 * with the seq of its newest line, then all transfers. A line counts towards its account up to that seq. A transfer of which
 * one line counts and the other does not was under way between the two reads; its amount is put to the sum.
 *
 * Memory: one small object an account.
 */
export async function auditOf(node: LedgerNode, session: Session): Promise<LedgerAudit> {
  const accounts = new Map<AccountId, AuditedAccount>();
  for await (const bins of recordsOf(session, SETS.accounts, node.books.prefix)) {
    const lastSeq = Number(bins["q"]);
    // Without a line no transfer has touched it: a fence has.
    if (lastSeq > 0)
      accounts.set(String(bins["n"]) as AccountId, { cachedPaise: Number(bins["b"]), lastSeq, derivedPaise: 0 });
  }
  const totalsPaise: Partial<Record<TransferKind, Paise>> = {};
  let [transferCount, underWayPaise] = [0, 0];

  /** Whether its line is among those that the balance was read with. */
  const post = (account: AccountId, seq: number, amountPaise: number): boolean => {
    const audited = accounts.get(account);
    if (audited === undefined || seq > audited.lastSeq) return false;
    audited.derivedPaise += amountPaise;
    return true;
  };
  const count = ({ transfer, debitSeq, creditSeq }: TransferRecord): void => {
    const { debit, credit, amountPaise, kind } = transfer;
    const isDebited = post(debit, debitSeq, -amountPaise);
    const isCredited = post(credit, creditSeq, amountPaise);
    if (isDebited && !isCredited) underWayPaise += amountPaise;
    if (isCredited && !isDebited) underWayPaise -= amountPaise;
    totalsPaise[kind] = paise((totalsPaise[kind] ?? 0) + amountPaise);
    transferCount++;
  };
  for await (const bins of recordsOf(session, SETS.transfers, node.books.prefix)) {
    const record = transferRecordOf(bins);
    if (record.stage === "void") continue;
    const done = record.stage === "done" ? record : await node.doneTransfer(record.transfer.txnId);
    if (done !== null) count(done);
  }
  const differences: { account: AccountId; cachedPaise: Paise; derivedPaise: Paise }[] = [];
  let sumPaise = underWayPaise;
  for (const [account, { cachedPaise, derivedPaise }] of accounts) {
    sumPaise += cachedPaise;
    if (cachedPaise !== derivedPaise || (derivedPaise < 0 && !mayOverdraw(account))) {
      differences.push({ account, cachedPaise: paise(cachedPaise), derivedPaise: paise(derivedPaise) });
    }
  }
  return { transferCount, accountCount: accounts.size, sumPaise: paise(sumPaise), totalsPaise, differences };
}

interface AuditedAccount {
  readonly cachedPaise: number;
  readonly lastSeq: number;
  derivedPaise: number;
}

/** A cluster that a node has just left or joined does not answer for some of its partitions; it is given a while. */
const SCAN_PATIENCE_MS = 20_000;
const SCAN_BACKOFF_MS = 200;

async function scanPatiently(session: Session, range: ScanRange): Promise<RecordBins[]> {
  const untilMs = performance.now() + SCAN_PATIENCE_MS;
  for (;;) {
    try {
      return await session.scan(range);
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || performance.now() > untilMs) throw error;
      await Bun.sleep(SCAN_BACKOFF_MS);
    }
  }
}

export async function* recordsOf(session: Session, set: string, prefix: string): AsyncGenerator<RecordBins> {
  const where = whereText(PREFIX_BIN, prefix);
  let [firstPartition, partitionCount] = [0, 64];
  while (firstPartition < PARTITION_COUNT) {
    const range = {
      set,
      firstPartition,
      partitionCount: Math.min(partitionCount, PARTITION_COUNT - firstPartition),
      where,
    };
    const records = await scanPatiently(session, range);
    firstPartition += range.partitionCount;
    if (records.length > RECORDS_PER_SCAN_MAX) partitionCount = Math.max(1, partitionCount >> 1);
    else if (records.length < RECORDS_PER_SCAN_MAX / 4) partitionCount *= 2;
    yield* records;
  }
}
