import { expect } from "bun:test";
import type { Contest, ContestTerms } from "../../domain/contest.ts";
import type { ContestId, MatchId } from "../../domain/ids.ts";
import { seededRandom, type testsWith } from "../contract.ts";
import type { Catalog, JoinRefusal, JoinRequest } from "./port.ts";

interface ModelSaga {
  readonly request: JoinRequest;
  entered: boolean;
}

/** The law of joins said plainly: a list of sagas, searched from end to end. */
class JoinModel {
  readonly sagas = new Map<number, ModelSaga>();
  readonly closed = new Set<ContestId>();

  constructor(readonly contests: readonly Contest[]) {}

  #in(contest: ContestId): ModelSaga[] {
    return [...this.sagas.values()].filter(({ request }) => request.contestId === contest);
  }

  begin(request: JoinRequest): JoinRefusal | "begun" | "known" {
    const { userId, idempotencyKey, contestId, entryId } = request;
    for (const { request: seen } of this.sagas.values()) {
      if (seen.userId !== userId || seen.idempotencyKey !== idempotencyKey) continue;
      return seen.contestId === contestId && seen.entryId === entryId ? "known" : "idempotency_key_reused";
    }
    const contest = this.contests.find(({ id }) => id === contestId)!;
    if (this.closed.has(contestId)) return "contest_not_open";
    const seats = this.#in(contestId);
    if (seats.some((saga) => saga.request.entryId === entryId)) return "already_joined";
    if (seats.filter((saga) => saga.request.userId === userId).length >= contest.entriesPerUserMax)
      return "entry_limit";
    return seats.length >= contest.entriesMax ? "contest_full" : "begun";
  }

  confirm(sagaId: number): "entered" | "released" | "contest_not_open" {
    const saga = this.sagas.get(sagaId);
    if (!saga) return "released";
    if (!saga.entered && this.closed.has(saga.request.contestId)) return "contest_not_open";
    saga.entered = true;
    return "entered";
  }

  release(sagaId: number): boolean {
    if (this.sagas.get(sagaId)?.entered) return false;
    this.sagas.delete(sagaId);
    return true;
  }

  summary(id: ContestId) {
    const seats = this.#in(id);
    const entries = seats.filter((saga) => saga.entered).map((saga) => saga.request.entryId);
    return { seatsTaken: seats.length, entries: entries.toSorted((a, b) => a - b) };
  }
}

const STEPS = 1_500;
const USERS = 6;

interface Helpers {
  openContest(catalog: Catalog, changes: Partial<ContestTerms>): Promise<Contest>;
  join(contest: { id: ContestId; matchId: MatchId }, user: number, team: number, key: string): JoinRequest;
}

/** Random begins, confirms, releases and closings, with keys that collide; the engine answers as the model does. */
export function joinModelTest(test: ReturnType<typeof testsWith<Catalog>>, { openContest, join }: Helpers): void {
  test("1,500 random steps answer as the naive model does", async (catalog) => {
    const random = seededRandom(20_260_328);
    const contests: Contest[] = [];
    for (const entriesMax of [2, 5, 9, 40]) {
      contests.push(await openContest(catalog, { entriesMax, entriesPerUserMax: Math.min(entriesMax, 3) }));
    }
    const model = new JoinModel(contests);
    const numbers: number[] = [];
    for (let step = 0; step < STEPS; step++) {
      const action = random.below(100);
      const sagaId = random.pick(numbers.length > 0 ? numbers : [1_000_000]);
      if (action < 55) {
        const request = join(
          random.pick(contests),
          1 + random.below(USERS),
          1 + random.below(4),
          `k${random.below(30)}`,
        );
        const expected = model.begin(request);
        const result = await catalog.beginJoin(request);
        const answer = result.ok ? (result.begun ? "begun" : "known") : result.refusal;
        expect({ step, answer }).toEqual({ step, answer: expected });
        if (result.ok && result.begun) {
          expect(numbers).not.toContain(result.saga.sagaId);
          numbers.push(result.saga.sagaId);
          model.sagas.set(result.saga.sagaId, { request, entered: false });
        }
      } else if (action < 70) {
        const expected = model.confirm(sagaId);
        const result = await catalog.confirmJoin(sagaId);
        expect({ step, answer: result.ok ? "entered" : result.refusal }).toEqual({ step, answer: expected });
      } else if (action < 99) {
        expect({ step, released: await catalog.releaseJoin(sagaId) }).toEqual({
          step,
          released: model.release(sagaId),
        });
      } else if (model.closed.size < 2) {
        const contest = random.pick(contests);
        model.closed.add(contest.id);
        await catalog.moveContest(contest.id, "open", "settling");
      }
    }
    for (const { id } of contests) {
      const entries = (await catalog.entriesOfContest(id, 0, 1_000)).map((entry) => Number(entry.entryId));
      const { seatsTaken } = (await catalog.contest(id))!;
      expect({ seatsTaken, entries }).toEqual(model.summary(id) as { seatsTaken: number; entries: number[] });
      expect(await catalog.entryCount(id)).toBe(entries.length);
    }
  });
}
