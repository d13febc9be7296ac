import { assert } from "../../../domain/assert.ts";
import type { ContestId, EntryId, MatchId, UserId } from "../../../domain/ids.ts";
import type { Paise } from "../../../domain/money.ts";
import type { Entry, JoinCatalog, JoinRefusal, JoinRequest, JoinSaga } from "../port.ts";
import { numberArray, textArray } from "./arrays.ts";
import type { Database } from "./database.ts";
import { AGAIN, GroupLane, type LaneLimits } from "./group-lane.ts";

export interface JoinLimits extends LaneLimits {
  /** Contests go to lanes by their id: those of different lanes never wait for each other. */
  readonly lanes: number;
}

/** In the order of -1 … -6 of `join_group`. */
const REFUSALS: readonly JoinRefusal[] = [
  "idempotency_key_reused",
  "contest_not_found",
  "contest_not_open",
  "already_joined",
  "entry_limit",
  "contest_full",
];

type BeginResult = Awaited<ReturnType<JoinCatalog["beginJoin"]>>;
type ConfirmResult = Awaited<ReturnType<JoinCatalog["confirmJoin"]>>;

type JoinCall =
  | { readonly step: "begin"; readonly request: JoinRequest }
  | { readonly step: "confirm"; readonly sagaId: number }
  | { readonly step: "release"; readonly sagaId: number };
type JoinAnswer = BeginResult | ConfirmResult | boolean;

interface GroupRow {
  readonly begun: string | null;
  readonly known: readonly JoinSaga[] | null;
  readonly confirmed: string | null;
  readonly released: string | null;
}

const GROUP = `SELECT * FROM join_group($1::bigint[], $2::text[], $3::integer[], $4::integer[], $5::bigint[],
  $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[])`;
const NUMBERS_AN_ENTRY = 5;
/** As `join_group` numbers sagas: the rest of a saga's number says to which lane its contest goes. */
const CONTESTS_APART = 256;

const numbersOf = (list: string | null): number[] => (list === null ? [] : list.split(",").map(Number));

/** Several nodes and lanes may commit at once: what they must not do twice is decided by the rows that they lock. */
async function commitGroup(database: Database, calls: readonly JoinCall[]): Promise<(JoinAnswer | typeof AGAIN)[]> {
  const requests: JoinRequest[] = [];
  const confirms: number[] = [];
  const releases: number[] = [];
  for (const call of calls) {
    if (call.step === "begin") requests.push(call.request);
    else (call.step === "confirm" ? confirms : releases).push(call.sagaId);
  }
  const row = await database.row<GroupRow>(GROUP, [
    numberArray(requests.map(({ userId }) => userId)),
    textArray(requests.map(({ idempotencyKey }) => idempotencyKey)),
    numberArray(requests.map(({ matchId }) => matchId)),
    numberArray(requests.map(({ contestId }) => contestId)),
    numberArray(requests.map(({ entryId }) => entryId)),
    numberArray(requests.map(({ feePaise }) => feePaise)),
    numberArray(requests.map(({ receivedAtMs }) => receivedAtMs)),
    numberArray(confirms),
    numberArray(releases),
  ]);
  assert(row !== null, "a function answers one row");
  const begun = numbersOf(row.begun);
  const known = new Map(row.known?.map((saga) => [saga.sagaId, saga]));
  const confirmed = numbersOf(row.confirmed);
  const released = numbersOf(row.released);
  const at = { begin: 0, confirm: 0, release: 0 };
  return calls.map((call): JoinAnswer | typeof AGAIN => {
    const index = at[call.step]++;
    if (call.step === "begin") return beginResult(call.request, begun[index]!, known);
    if (call.step === "confirm") return confirmResult(confirmed, index * NUMBERS_AN_ENTRY);
    return released[index] === 1;
  });
}

function beginResult(
  request: JoinRequest,
  answer: number,
  known: ReadonlyMap<number, JoinSaga>,
): BeginResult | typeof AGAIN {
  if (answer > 0) return { ok: true, saga: { ...request, sagaId: answer, state: "reserved" }, begun: true };
  if (answer === 0) return AGAIN;
  const refusal = REFUSALS[-answer - 1];
  return refusal ? { ok: false, refusal } : { ok: true, saga: known.get(-answer)!, begun: false };
}

function confirmResult(confirmed: readonly number[], at: number): ConfirmResult {
  const [matchId, contestId, entryId, feePaise, joinedAtMs] = confirmed.slice(at, at + NUMBERS_AN_ENTRY);
  if (matchId === -1) return { ok: false, refusal: "released" };
  if (matchId === -2) return { ok: false, refusal: "contest_not_open" };
  return { ok: true, entry: { contestId, matchId, entryId, feePaise, joinedAtMs } as Entry };
}

interface SagaRow {
  readonly saga_id: number;
  readonly user_id: UserId;
  readonly match_id: MatchId;
  readonly contest_id: ContestId;
  readonly entry_id: EntryId;
  readonly fee_paise: Paise;
  readonly received_at_ms: number;
  readonly idempotency_key: string;
}

const entryOf = (row: SagaRow): Entry => ({
  contestId: row.contest_id,
  matchId: row.match_id,
  entryId: row.entry_id,
  feePaise: row.fee_paise,
  joinedAtMs: row.received_at_ms,
});

const reservedSagaOf = (row: SagaRow): JoinSaga => ({
  sagaId: row.saga_id,
  idempotencyKey: row.idempotency_key,
  userId: row.user_id,
  matchId: row.match_id,
  contestId: row.contest_id,
  entryId: row.entry_id,
  feePaise: row.fee_paise,
  receivedAtMs: row.received_at_ms,
  state: "reserved",
});

const ENTRY_IDS_PER_USER = 64;
const IS_ENTERED = "NOT EXISTS (SELECT FROM joins_under_way way WHERE way.saga_id = seats.saga_id)";

/** `groups` has the connections of the groups alone, `calls` answers the rest: a long page holds up no commit. */
export function joinCatalog(groups: Database, calls: Database, limits: JoinLimits): JoinCatalog {
  const lanes = Array.from(
    { length: limits.lanes },
    () => new GroupLane<JoinCall, JoinAnswer>(limits, (group) => commitGroup(groups, group)),
  );
  const laneOf = (number: number) => lanes[(number % CONTESTS_APART) % lanes.length]!;
  const countOf = async (statement: string, id: number) =>
    (await calls.row<{ count: number }>(statement, [id]))?.count ?? 0;

  return {
    beginJoin: (request) => laneOf(request.contestId).call({ step: "begin", request }) as Promise<BeginResult>,
    confirmJoin: (sagaId) => laneOf(sagaId).call({ step: "confirm", sagaId }) as Promise<ConfirmResult>,
    releaseJoin: (sagaId) => laneOf(sagaId).call({ step: "release", sagaId }) as Promise<boolean>,

    async reservedJoins(receivedBeforeMs, limit) {
      const rows = await calls.rows<SagaRow>(
        `SELECT seats.* FROM joins_under_way JOIN seats USING (saga_id) WHERE received_at_ms < $1
         ORDER BY received_at_ms, saga_id LIMIT $2`,
        [receivedBeforeMs, limit],
      );
      return rows.map(reservedSagaOf);
    },
    // From the counts, which change with each group as one: the lock waits for zero, and asks often.
    reservedJoinCount: (match) =>
      countOf("SELECT sum(seats_taken - entry_count)::integer AS count FROM contest_counts WHERE match_id = $1", match),
    async entriesOfUser(user, match) {
      const first = user * ENTRY_IDS_PER_USER;
      const rows = await calls.rows<SagaRow>(
        `SELECT * FROM seats WHERE match_id = $1 AND entry_id BETWEEN $2 AND $3 AND ${IS_ENTERED}
         ORDER BY entry_id, contest_id`,
        [match, first, first + ENTRY_IDS_PER_USER - 1],
      );
      return rows.map(entryOf);
    },
    async entriesOfContest(contest, afterEntry, limit) {
      const rows = await calls.rows<SagaRow>(
        `SELECT * FROM seats WHERE contest_id = $1 AND entry_id > $2 AND ${IS_ENTERED} ORDER BY entry_id LIMIT $3`,
        [contest, afterEntry, limit],
      );
      return rows.map(entryOf);
    },
    entryCount: (contest) => countOf("SELECT entry_count AS count FROM contest_counts WHERE contest_id = $1", contest),
    async outbox(limit) {
      const rows = await calls.rows<SagaRow>(
        "SELECT seats.* FROM outbox JOIN seats USING (saga_id) ORDER BY saga_id LIMIT $1",
        [limit],
      );
      return rows.map((row) => ({ outboxId: row.saga_id, entry: entryOf(row) }));
    },
    async outboxSent(outboxIds) {
      if (outboxIds.length === 0) return;
      await calls.rows("DELETE FROM outbox WHERE saga_id = ANY ($1::bigint[])", [numberArray(outboxIds)]);
    },
    outboxCount: (match) => countOf("SELECT count(*)::integer AS count FROM outbox WHERE match_id = $1", match),
  };
}
