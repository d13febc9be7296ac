import { expect, test } from "bun:test";
import type { ContestInfo } from "../client/index.ts";
import { rupees } from "../domain/money.ts";
import { ALL_CONTESTS, type ContestFilter, filterContests } from "./contest-filter.ts";

const contest = (id: number, kind: ContestInfo["kind"], fee: number, taken: number, pool: number): ContestInfo => ({
  id: id as never,
  matchId: 1 as never,
  state: "open",
  kind,
  name: `${kind} ${id}`,
  entryFeePaise: rupees(fee),
  entriesMax: 100,
  entriesPerUserMax: 1,
  seatsTaken: taken,
  prizePoolPaise: rupees(pool),
  prizes: [],
  guaranteed: true,
});

const CONTESTS = [
  contest(1, "mega", 49, 10, 9_000),
  contest(2, "free", 0, 90, 0),
  contest(3, "paid", 50, 100, 500),
  contest(4, "paid", 501, 30, 700),
  contest(5, "head_to_head", 51, 99, 700),
];

const found = (filter: Partial<ContestFilter>) =>
  filterContests(CONTESTS, { ...ALL_CONTESTS, ...filter }).map(({ id }) => Number(id));

test.each<[Partial<ContestFilter>, number[]]>([
  [{}, [1, 4, 5, 2]],
  [{ onlyOpen: false }, [1, 4, 5, 3, 2]],
  [{ kind: "paid", onlyOpen: false }, [4, 3]],
  [{ kind: "private" }, []],
  [{ fee: "free" }, [2]],
  [{ fee: "small", onlyOpen: false }, [1, 3]],
  [{ fee: "middle" }, [5]],
  [{ fee: "large" }, [4]],
  [{ sort: "feeUp" }, [2, 1, 5, 4]],
  [{ sort: "feeDown" }, [4, 5, 1, 2]],
  [{ sort: "filling" }, [5, 2, 4, 1]],
  [{ sort: "spots" }, [1, 4, 2, 5]],
])("%p finds the contests %p", (filter, ids) => expect(found(filter)).toEqual(ids));
