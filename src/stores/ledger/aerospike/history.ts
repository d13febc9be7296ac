import type { AccountId } from "../../../domain/account.ts";
import type { LedgerLine } from "../port.ts";
import { accountOf, type HeldLine, LINES_PER_PAGE, linesOfText } from "./books.ts";
import type { LedgerNode } from "./node.ts";

const PAGES_PER_READ_MAX = 64;

/** The account's record first, then its pages from the newest; a page that left the record meanwhile was in it. */
export async function historyOf(
  node: LedgerNode,
  account: AccountId,
  { beforeSeq = Number.POSITIVE_INFINITY, limit }: { readonly beforeSeq?: number; readonly limit: number },
): Promise<LedgerLine[]> {
  const [read] = await node.read([node.books.readAccount(account)]);
  const { lines, pagedCount } = accountOf(read!.bins);
  const found: LedgerLine[] = [];
  const take = (some: readonly HeldLine[]): void => {
    for (let at = some.length - 1; at >= 0 && found.length < limit; at--) {
      if (some[at]!.seq < beforeSeq) found.push(lineOf(some[at]!));
    }
  };
  take(lines);
  let end = pagedCount / LINES_PER_PAGE;
  const oldestSeq = lines[0]?.seq ?? Number.POSITIVE_INFINITY;
  if (beforeSeq <= oldestSeq && found.length < limit) end = await firstPageFrom(node, account, end, beforeSeq);
  while (end > 0 && found.length < limit) {
    const count = Math.min(end, PAGES_PER_READ_MAX, Math.ceil((limit - found.length) / LINES_PER_PAGE) + 1);
    for (const page of (await pagesOf(node, account, end - count, end)).toReversed()) take(page);
    end -= count;
  }
  return found;
}

/** The first page whose lines are all at `seq` or later, `end` if there is none: what is older is in the pages before. */
async function firstPageFrom(node: LedgerNode, account: AccountId, end: number, seq: number): Promise<number> {
  let [low, high] = [0, end];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const [page] = await pagesOf(node, account, middle, middle + 1);
    if ((page?.[0]?.seq ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

async function pagesOf(node: LedgerNode, account: AccountId, from: number, end: number): Promise<HeldLine[][]> {
  const pages = Array.from({ length: end - from }, (_, index) => node.books.readPage(account, from + index));
  return (await node.read(pages)).map(({ bins }) => (bins === null ? [] : linesOfText(String(bins["r"]), "")));
}

const lineOf = ({ seq, txnId, kind, ref, atMs, amountPaise, balanceAfterPaise }: HeldLine): LedgerLine => ({
  seq,
  txnId,
  kind,
  ref,
  atMs,
  amountPaise,
  balanceAfterPaise,
});
