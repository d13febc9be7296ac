import type { ContestId, MatchId } from "../../domain/ids.ts";
import type { HotStore } from "../../stores/hot-store/port.ts";
import { repeat } from "../../repeat.ts";
import type { PointsAt } from "../board/history.ts";
import { Standing } from "../board/standing.ts";
import type { StandingAt } from "../board/standings-file.ts";
import type { MatchBoards } from "../match-boards.ts";
import { decodeSliceStanding, encodeSliceStanding } from "./standing-message.ts";
import { SliceLoading } from "./slice-questions.ts";
import type { WholeStanding } from "./whole-contest.ts";

export interface StandingExchangeDeps {
  readonly hotStore: Pick<HotStore, "publish" | "subscribe">;
  readonly boards: Pick<MatchBoards, "openSlices" | "points">;
  readonly nodeId: string;
  /** From the slices themselves, at one ball. */
  readonly fetch: (
    match: MatchId,
    contests: readonly ContestId[],
    at: PointsAt,
  ) => Promise<ReadonlyMap<ContestId, WholeStanding>>;
  /** Whether the match can have boards: its deadline has passed and it was not abandoned. */
  readonly isLocked: (match: MatchId) => Promise<boolean>;
  /** A watched contest has a new standing. */
  readonly onStanding: (match: MatchId) => void;
  readonly limits: ExchangeLimits;
  readonly onTrouble: (error: unknown) => void;
}

export interface ExchangeLimits {
  /** How often a node says which contests it watches. */
  readonly announceEveryMs: number;
  /** How long an owner believes it. */
  readonly wantedForMs: number;
  /** How long a standing may be behind the points before it is fetched. */
  readonly lagMs: number;
}

/** Standings of the last balls that were not whole yet. */
const VERSIONS_KEPT = 4;

interface Watched {
  readonly contestId: ContestId;
  watcherCount: number;
  /** null: not fetched yet. */
  enteredSlices: readonly number[] | null;
  /** By slice, then by version. */
  readonly parts: Map<number, Map<number, StandingAt>>;
  latest: StandingAt | null | undefined;
  /** The points version at the last look. */
  seenVersion: number;
  readonly ready: PromiseWithResolvers<void>;
  readonly subscribed: Promise<() => Promise<void>>;
}

const versionOf = ({ enteredSlices, latest }: Watched): number => {
  if (enteredSlices?.length === 0) return Number.POSITIVE_INFINITY;
  return latest?.pointsVersion ?? -1;
};

/**
 * The standings of the contests that somebody follows on this node, whole, without asking for them at each ball: after a pass
 * the owner of a slice publishes its part of every contest that some node watches, and the parts of one ball add up.
 *
 * A message may be lost, the hot store may be away, a slice may move: what is behind the points for `lagMs` is asked of the
 * slices themselves, under the newest points. So the messages save work and no rank rests on them.
 */
export class StandingExchange {
  readonly #deps: StandingExchangeDeps;
  readonly #watched = new Map<MatchId, Map<ContestId, Watched>>();
  /** Contests that other nodes watch, and until when that is believed. */
  readonly #wanted = new Map<MatchId, Wanted>();
  readonly #fetching = new Set<MatchId>();
  readonly #waiting = new Map<MatchId, Watched[]>();
  readonly #workers: readonly { stop(): Promise<void> }[];

  constructor(deps: StandingExchangeDeps) {
    this.#deps = deps;
    const { limits, onTrouble } = deps;
    this.#workers = [
      repeat(() => this.#announceAll(), limits.announceEveryMs, onTrouble),
      repeat(() => this.#catchUp(), limits.lagMs, onTrouble),
    ];
  }

  /** undefined: not known yet. null: nobody entered. */
  latest(match: MatchId, contest: ContestId): StandingAt | null | undefined {
    return this.#watched.get(match)?.get(contest)?.latest;
  }

  /** Contests of the match that are watched here, and those of which this node's slices are wanted elsewhere. */
  *followed(match: MatchId): Iterable<ContestId> {
    yield* this.#watched.get(match)?.keys() ?? [];
    yield* this.#wanted.get(match)?.untilMs.keys() ?? [];
  }

  /** `ready` resolves when the standing is known, or could not be fetched for now. */
  watch(match: MatchId, contest: ContestId): { readonly ready: Promise<void>; readonly stop: () => void } {
    const contests = this.#watched.get(match) ?? new Map<ContestId, Watched>();
    this.#watched.set(match, contests);
    let watched = contests.get(contest);
    if (watched === undefined) {
      contests.set(contest, (watched = this.#newWatched(match, contest)));
      void this.#announce(match, [contest]).catch(this.#deps.onTrouble);
      this.#fetchSoon(match, watched);
    }
    watched.watcherCount++;
    const { ready } = watched;
    return { ready: ready.promise, stop: () => this.#unwatch(match, watched) };
  }

  /** This node's slices of the match show new points. */
  published(match: MatchId): void {
    const open = this.#deps.boards.openSlices(match);
    if (open.length === 0) return;
    const wanted = this.#wantedOf(match);
    const nowMs = performance.now();
    for (const { board, identity } of open) {
      for (const watched of this.#watched.get(match)?.values() ?? []) {
        const at = board.standing(watched.contestId);
        if (at !== undefined) this.#offer(match, watched, identity.slice, at);
      }
      for (const [contest, untilMs] of wanted.untilMs) {
        if (untilMs < nowMs) wanted.untilMs.delete(contest);
        const at = untilMs < nowMs ? undefined : board.standing(contest);
        if (at === undefined) continue;
        void this.#deps.hotStore
          .publish(standingChannel(match, contest), encodeSliceStanding({ ...at, slice: identity.slice }))
          .catch(this.#deps.onTrouble);
      }
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop()));
    const subscribed = [
      ...[...this.#watched.values()].flatMap((contests) => [...contests.values()].map((each) => each.subscribed)),
      ...[...this.#wanted.values()].map((each) => each.subscribed),
    ];
    await Promise.allSettled(subscribed.map(async (each) => (await each)()));
  }

  #newWatched(match: MatchId, contestId: ContestId): Watched {
    const channel = standingChannel(match, contestId);
    const subscribed = this.#hear(channel, (message) => {
      const { slice, ...at } = decodeSliceStanding(message);
      const watched = this.#watched.get(match)?.get(contestId);
      if (watched !== undefined) this.#offer(match, watched, slice, at);
    });
    // Without messages the standing is fetched.
    subscribed.catch(this.#deps.onTrouble);
    return {
      contestId,
      watcherCount: 0,
      enteredSlices: null,
      parts: new Map(),
      latest: undefined,
      seenVersion: -1,
      ready: Promise.withResolvers(),
      subscribed,
    };
  }

  #unwatch(match: MatchId, watched: Watched): void {
    if (--watched.watcherCount > 0) return;
    const contests = this.#watched.get(match);
    contests?.delete(watched.contestId);
    if (contests?.size === 0) this.#watched.delete(match);
    watched.subscribed.then((end) => end()).catch(this.#deps.onTrouble);
  }

  #offer(match: MatchId, watched: Watched, slice: number, at: StandingAt): void {
    const versions = watched.parts.get(slice) ?? new Map<number, StandingAt>();
    watched.parts.set(slice, versions.set(at.pointsVersion, at));
    if (versions.size > VERSIONS_KEPT) versions.delete(Math.min(...versions.keys()));
    if (watched.enteredSlices === null) return;
    const parts = watched.enteredSlices.map((entered) => watched.parts.get(entered));
    const shown = versionOf(watched);
    const whole = [...(parts[0]?.keys() ?? [])]
      .filter((version) => version > shown && parts.every((part) => part?.has(version) === true))
      .sort((a, b) => b - a)[0];
    if (whole === undefined) return;
    const ofSlices = parts.map((part) => part!.get(whole)!);
    watched.latest = { ...ofSlices[0]!, standing: Standing.merge(ofSlices.map(({ standing }) => standing)) };
    for (const part of parts) for (const version of part!.keys()) if (version <= whole) part!.delete(version);
    this.#deps.onStanding(match);
  }

  /** Contests that are followed in one turn of the event loop are one question to each slice. */
  #fetchSoon(match: MatchId, watched: Watched): void {
    const waiting = this.#waiting.get(match);
    if (waiting !== undefined) {
      waiting.push(watched);
      return;
    }
    const contests = [watched];
    this.#waiting.set(match, contests);
    setImmediate(() => {
      this.#waiting.delete(match);
      this.#fetch(match, contests).catch(this.#deps.onTrouble);
    });
  }

  async #fetch(match: MatchId, contests: readonly Watched[]): Promise<void> {
    try {
      if (!(await this.#deps.isLocked(match))) return;
      const at = this.#deps.boards.points(match);
      const ids = contests.map(({ contestId }) => contestId);
      const found = await this.#deps.fetch(match, ids, at);
      for (const watched of contests) {
        const { enteredSlices, standing } = found.get(watched.contestId)!;
        const known = watched.latest !== undefined && versionOf(watched) >= at.pointsVersion;
        watched.enteredSlices = enteredSlices;
        if (!known) watched.latest = standing === null ? null : { ...at, standing };
      }
      this.#deps.onStanding(match);
    } catch (error) {
      // The next look asks again.
      if (!(error instanceof SliceLoading)) throw error;
    } finally {
      for (const { ready } of contests) ready.resolve();
    }
  }

  async #catchUp(): Promise<void> {
    const fetches = [...this.#watched].map(async ([match, contests]) => {
      if (this.#fetching.has(match)) return;
      const behind = [...contests.values()].filter(
        (watched) => versionOf(watched) < watched.seenVersion || watched.latest === undefined,
      );
      for (const watched of contests.values()) watched.seenVersion = this.#deps.boards.points(match).pointsVersion;
      if (behind.length === 0) return;
      this.#fetching.add(match);
      try {
        await this.#fetch(match, behind);
      } finally {
        this.#fetching.delete(match);
      }
    });
    await Promise.all(fetches);
  }

  async #announceAll(): Promise<void> {
    for (const [match, contests] of this.#watched) await this.#announce(match, [...contests.keys()]);
    for (const [match, { subscribed }] of this.#wanted) {
      if (this.#deps.boards.openSlices(match).length > 0) continue;
      this.#wanted.delete(match);
      await (
        await subscribed
      )();
    }
  }

  async #announce(match: MatchId, contests: readonly ContestId[]): Promise<void> {
    const message: WatchedContests = { nodeId: this.#deps.nodeId, contests };
    await this.#deps.hotStore.publish(watchedChannel(match), new TextEncoder().encode(JSON.stringify(message)));
  }

  /** Whoever publishes may be of another version: what it says is at worst no message. */
  #hear(channel: string, listener: (message: Uint8Array) => void): Promise<() => Promise<void>> {
    return this.#deps.hotStore.subscribe(channel, (message) => {
      try {
        listener(message);
      } catch (error) {
        this.#deps.onTrouble(error);
      }
    });
  }

  #wantedOf(match: MatchId): Wanted {
    const known = this.#wanted.get(match);
    if (known !== undefined) return known;
    const untilMs = new Map<ContestId, number>();
    const subscribed = this.#hear(watchedChannel(match), (message) => {
      const believedMs = performance.now() + this.#deps.limits.wantedForMs;
      const { contests, nodeId } = JSON.parse(new TextDecoder().decode(message)) as WatchedContests;
      if (nodeId === this.#deps.nodeId) return;
      for (const contest of contests) untilMs.set(contest, believedMs);
    });
    subscribed.catch((error: unknown) => {
      this.#wanted.delete(match);
      this.#deps.onTrouble(error);
    });
    const wanted = { untilMs, subscribed };
    this.#wanted.set(match, wanted);
    return wanted;
  }
}

interface WatchedContests {
  readonly nodeId: string;
  readonly contests: readonly ContestId[];
}

interface Wanted {
  readonly untilMs: Map<ContestId, number>;
  readonly subscribed: Promise<() => Promise<void>>;
}

const standingChannel = (match: MatchId, contest: ContestId): string => `standing:${match}:${contest}`;
const watchedChannel = (match: MatchId): string => `watched:${match}`;
