import type { Database } from "bun:sqlite";
import { type ContestId, type EntryId, type MatchId, type UserId } from "../../../domain/ids.ts";
import type { Paise } from "../../../domain/money.ts";
import type { Entry, JoinCatalog, JoinRefusal, JoinRequest, JoinSaga } from "../port.ts";
import type { ContestsInHand } from "./contests.ts";

interface SagaRow {
  saga_id: number;
  user_id: UserId;
  idempotency_key: string;
  match_id: MatchId;
  contest_id: ContestId;
  entry_id: EntryId;
  fee_paise: Paise;
  received_at_ms: number;
  entered: 0 | 1;
}

interface EntryRow {
  contest_id: ContestId;
  match_id: MatchId;
  entry_id: EntryId;
  fee_paise: Paise;
  joined_at_ms: number;
}

const sagaOf = (row: SagaRow): JoinSaga => ({
  sagaId: row.saga_id,
  idempotencyKey: row.idempotency_key,
  userId: row.user_id,
  matchId: row.match_id,
  contestId: row.contest_id,
  entryId: row.entry_id,
  feePaise: row.fee_paise,
  receivedAtMs: row.received_at_ms,
  state: row.entered ? "entered" : "reserved",
});

const entryOf = (row: EntryRow): Entry => ({
  contestId: row.contest_id,
  matchId: row.match_id,
  entryId: row.entry_id,
  feePaise: row.fee_paise,
  joinedAtMs: row.joined_at_ms,
});

const entryOfSaga = (row: SagaRow): Entry => entryOf({ ...row, joined_at_ms: row.received_at_ms });

const ENTRY_IDS_PER_USER = 64;
const firstEntryId = (user: UserId): number => user * ENTRY_IDS_PER_USER;
const lastEntryId = (user: UserId): number => user * ENTRY_IDS_PER_USER + ENTRY_IDS_PER_USER - 1;

type BeginResult = Awaited<ReturnType<JoinCatalog["beginJoin"]>>;
type ConfirmResult = Awaited<ReturnType<JoinCatalog["confirmJoin"]>>;

/** Numbers sagas. A released saga's row is gone but its number is never given again, so it can't come from the table. */
class SagaCounter {
  readonly #load;
  readonly #store;
  #next: number | null = null;
  #stored = 0;

  constructor(db: Database) {
    this.#load = db.query<{ saga_id_next: number }, []>("SELECT saga_id_next FROM saga_counter");
    this.#store = db.query<null, [number]>("UPDATE saga_counter SET saga_id_next = ?");
  }

  take(): number {
    if (this.#next === null) this.#stored = this.#next = this.#load.get()!.saga_id_next;
    return this.#next++;
  }

  beforeCommit(): void {
    if (this.#next === null || this.#next === this.#stored) return;
    this.#store.run(this.#next);
    this.#stored = this.#next;
  }

  forget(): void {
    this.#next = null;
  }
}

export function joinWrites(db: Database, contests: ContestsInHand) {
  const counter = new SagaCounter(db);
  const sagaByKey = db.query<SagaRow, [number, string]>(
    "SELECT * FROM sagas WHERE user_id = ? AND idempotency_key = ?",
  );
  const sagaById = db.query<SagaRow, [number]>("SELECT * FROM sagas WHERE saga_id = ?");
  const matchState = db.query<{ state: string }, [number]>("SELECT state FROM matches WHERE match_id = ?");
  const seatsOfUser = db.query<never, [number, number, number]>(
    "SELECT entry_id FROM seats WHERE contest_id = ? AND entry_id BETWEEN ? AND ?",
  );
  const insertSaga = db.query<null, [number, number, string, number, number, number, number, number]>(
    "INSERT INTO sagas VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)",
  );
  const insertSeat = db.query<null, [number, number, number, number, number]>(
    "INSERT INTO seats VALUES (?, ?, ?, ?, ?, 0)",
  );
  const enterSaga = db.query<null, [number]>("UPDATE sagas SET entered = 1 WHERE saga_id = ?");
  const enterSeat = db.query<null, [number, number]>(
    "UPDATE seats SET entered = 1 WHERE contest_id = ? AND entry_id = ?",
  );
  const announce = db.query<null, [number, number, number, number, number, number]>(
    "INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?)",
  );
  const deleteSaga = db.query<null, [number]>("DELETE FROM sagas WHERE saga_id = ?");
  const deleteSeat = db.query<null, [number, number]>("DELETE FROM seats WHERE contest_id = ? AND entry_id = ?");
  const deleteSent = db.query<null, [number]>("DELETE FROM outbox WHERE saga_id = ?");

  function refusalOf({ userId, matchId, contestId, entryId }: JoinRequest): JoinRefusal | null {
    const contest = contests.get(contestId);
    if (!contest || contest.matchId !== matchId) return "contest_not_found";
    if (contest.state !== "open" || (matchState.get(matchId)?.state ?? "upcoming") !== "upcoming") {
      return "contest_not_open";
    }
    const seats = seatsOfUser.values(contestId, firstEntryId(userId), lastEntryId(userId));
    if (seats.some(([taken]) => taken === entryId)) return "already_joined";
    if (seats.length >= contest.entriesPerUserMax) return "entry_limit";
    if (contest.seatsTaken >= contest.entriesMax) return "contest_full";
    return null;
  }

  return {
    operations: {
      /** Of a join that begins, only its number: the caller has the rest of the saga. */
      beginJoin(request: JoinRequest): number | BeginResult {
        const { userId, idempotencyKey, matchId, contestId, entryId, feePaise, receivedAtMs } = request;
        const known = sagaByKey.get(userId, idempotencyKey);
        if (known) {
          const same = known.contest_id === contestId && known.entry_id === entryId;
          if (!same) return { ok: false, refusal: "idempotency_key_reused" };
          return { ok: true, saga: sagaOf(known), begun: false };
        }
        const refusal = refusalOf(request);
        if (refusal) return { ok: false, refusal };

        // After this point the join must begin.
        const sagaId = counter.take();
        insertSaga.run(sagaId, userId, idempotencyKey, matchId, contestId, entryId, feePaise, receivedAtMs);
        insertSeat.run(contestId, entryId, matchId, feePaise, receivedAtMs);
        contests.count(contestId).seatsTaken++;
        return sagaId;
      },

      confirmJoin(sagaId: number): ConfirmResult {
        const saga = sagaById.get(sagaId);
        if (!saga) return { ok: false, refusal: "released" };
        const entry = entryOfSaga(saga);
        if (saga.entered) return { ok: true, entry };
        const contest = contests.count(saga.contest_id);
        if (contest.state !== "open") return { ok: false, refusal: "contest_not_open" };

        enterSaga.run(sagaId);
        enterSeat.run(saga.contest_id, saga.entry_id);
        announce.run(sagaId, saga.match_id, saga.contest_id, saga.entry_id, saga.fee_paise, saga.received_at_ms);
        contest.entryCount++;
        return { ok: true, entry };
      },

      releaseJoin(sagaId: number): boolean {
        const saga = sagaById.get(sagaId);
        if (!saga) return true;
        if (saga.entered) return false;
        deleteSaga.run(sagaId);
        deleteSeat.run(saga.contest_id, saga.entry_id);
        contests.count(saga.contest_id).seatsTaken--;
        return true;
      },

      outboxSent(outboxIds: readonly number[]): void {
        for (const outboxId of outboxIds) deleteSent.run(outboxId);
      },
    },
    beforeCommit: () => counter.beforeCommit(),
    forget: () => counter.forget(),
  };
}

export function joinReads(db: Database) {
  const reserved = db.query<SagaRow, [number, number]>(
    "SELECT * FROM sagas WHERE entered = 0 AND received_at_ms < ? ORDER BY received_at_ms, saga_id LIMIT ?",
  );
  const reservedCount = db.query<{ count: number }, [number]>(
    "SELECT COUNT(*) AS count FROM sagas WHERE entered = 0 AND match_id = ?",
  );
  const ofUser = db.query<EntryRow, [number, number, number]>(
    "SELECT * FROM seats WHERE match_id = ? AND entry_id BETWEEN ? AND ? AND entered = 1 ORDER BY entry_id, contest_id",
  );
  const ofContest = db.query<EntryRow, [number, number, number]>(
    "SELECT * FROM seats WHERE contest_id = ? AND entry_id > ? AND entered = 1 ORDER BY entry_id LIMIT ?",
  );
  const oldest = db.query<EntryRow & { saga_id: number }, [number]>("SELECT * FROM outbox ORDER BY saga_id LIMIT ?");
  // Reads the whole outbox, which is short: the relay empties it all the time, and waits for zero only at the deadline.
  const unsentCount = db.query<{ count: number }, [number]>("SELECT COUNT(*) AS count FROM outbox WHERE match_id = ?");
  return {
    reservedJoins({ receivedBeforeMs, limit }: { receivedBeforeMs: number; limit: number }): JoinSaga[] {
      return reserved.all(receivedBeforeMs, limit).map(sagaOf);
    },
    reservedJoinCount(match: MatchId): number {
      return reservedCount.get(match)!.count;
    },
    entriesOfUser({ user, match }: { user: UserId; match: MatchId }): Entry[] {
      return ofUser.all(match, firstEntryId(user), lastEntryId(user)).map(entryOf);
    },
    entriesOfContest({ contest, after, limit }: { contest: ContestId; after: EntryId | 0; limit: number }): Entry[] {
      return ofContest.all(contest, after, limit).map(entryOf);
    },
    outbox(limit: number): { outboxId: number; entry: Entry }[] {
      return oldest.all(limit).map((row) => ({ outboxId: row.saga_id, entry: entryOf(row) }));
    },
    outboxCount(match: MatchId): number {
      return unsentCount.get(match)!.count;
    },
  };
}
