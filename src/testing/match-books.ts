import type { MatchDayResult } from "../demo/match-day.ts";
import type { Actor } from "../demo/actor.ts";
import { type ApiClient, expectStatus } from "../demo/api-client.ts";
import { userAccount } from "../domain/account.ts";
import { contestId } from "../domain/ids.ts";
import type { Ledger } from "../stores/ledger/port.ts";

const PAGE_ROWS = 100;
const LINES_MAX = 1_000;

/**
 * All that a played match leaves to be compared with another run of it: users by their names and contests by theirs, for ids
 * are each catalog's own.
 */
export async function booksOf(api: ApiClient, ledger: Ledger, bots: readonly Actor[], played: MatchDayResult) {
  const nameOf = new Map(played.contests.map(({ id, terms }) => [String(id), terms.name]));
  const boards: Record<string, BoardLine[]> = {};
  for (const { id, terms } of played.contests) boards[terms.name] = await boardOf(api, contestId(id));
  const accounts = bots.map(({ id }) => userAccount(id));
  const lines = await Promise.all(
    accounts.map(async (account) => {
      const history = await ledger.history(account, { limit: LINES_MAX });
      // A deposit's reference is an order's, which is random.
      return history.map(({ amountPaise, kind, ref }) => `${kind} ${nameOf.get(ref) ?? ""} ${amountPaise}`).sort();
    }),
  );
  const { differences, sumPaise, totalsPaise } = await ledger.audit();
  return {
    boards,
    outcomes: played.released.map((release) => ({ ...release, contestId: nameOf.get(String(release.contestId)) })),
    balances: await ledger.balances(accounts),
    lines,
    audit: { differences, sumPaise, totalsPaise },
  };
}

export interface BoardLine {
  readonly points: number;
  readonly prizePaise: number;
  readonly rank: number;
  readonly teamNo: number;
  readonly userName: string;
}

/** Every row, page by page. */
async function boardOf(api: ApiClient, contest: number): Promise<BoardLine[]> {
  const rows: BoardLine[] = [];
  for (;;) {
    const path = `/v1/contests/${contest}/leaderboard?fromRank=${rows.length + 1}&count=${PAGE_ROWS}`;
    const page = expectStatus(await api.get(path), 200, path).body;
    for (const { points, prizePaise, rank, teamNo, userName } of page.rows) {
      rows.push({ points, prizePaise, rank, teamNo, userName });
    }
    if (page.rows.length < PAGE_ROWS) return rows;
  }
}
