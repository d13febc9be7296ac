import { StoreUnavailable } from "../stores/unavailable.ts";
import type { Random } from "../domain/random.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Sightings } from "./sightings.ts";

export type StoreName = ConstructorParameters<typeof StoreUnavailable>[0];
export type PeerName = StoreName | "Provider";

/** What may go wrong with one call; all chances are 0 … 1. */
export interface Weather {
  readonly latencyMsMax: number;
  /** The question never arrives. */
  readonly lostChance: number;
  /** It takes effect, and the answer never arrives. */
  readonly answerLostChance: number;
  /** It arrives a second time, up to `delayMsMax` later. */
  readonly repeatedChance: number;
  /** It takes effect up to `delayMsMax` later, when the caller has given up long ago. */
  readonly delayedChance: number;
  readonly delayMsMax: number;
  /** The caller's node dies, before the question leaves or before the answer comes. */
  readonly crashChance: number;
  /** A step at which nodes die more often than elsewhere, a few times a run: rare steps want their crashes too. */
  readonly ambush: string | null;
  /** One call in so many begins an outage of that peer. */
  readonly outageChance: number;
  readonly outageMsMax: number;
  /** The way to the log takes longer, for this call and what is behind it. */
  readonly stallChance: number;
  /** A record meets an outage of the log in the client's queue, and is in the log after it, whoever still waits. */
  readonly queuedChance: number;
  /** A group of writes finds its disk full. */
  readonly fullChance: number;
  readonly timeoutMs: number;
}

export const CLEAR_SKY: Weather = {
  latencyMsMax: 3,
  lostChance: 0,
  answerLostChance: 0,
  repeatedChance: 0,
  delayedChance: 0,
  delayMsMax: 0,
  crashChance: 0,
  ambush: null,
  outageChance: 0,
  outageMsMax: 0,
  stallChance: 0,
  queuedChance: 0,
  fullChance: 0,
  timeoutMs: 1000,
};

const DISK_MS_MAX = 4;
const AMBUSHES_MAX = 4;
const AMBUSH_CHANCE = 0.15;

/** One run of one node's process; a crash ends it, and nothing that it awaits ever settles. */
export interface Incarnation {
  readonly name: string;
  readonly alive: () => boolean;
  readonly crash: () => void;
}

/** Everything that happened, one line each, to compare two runs of a seed; null records nothing. */
export type Trace = string[] | null;

/** Carries every call from a node to a store or to the provider, and does to it what networks and processes do. */
export class SimulatedNetwork {
  weather: Weather;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #trace: Trace;
  readonly #sightings: Sightings;
  readonly #outageUntilMs = new Map<PeerName, number>();
  #ambushes = 0;
  /** The log keeps the order of one node's appends and repeats none; so nothing overtakes on the way to it. */
  readonly #logArrivalMs = new Map<Incarnation, number>();
  readonly #queues = new Map<Incarnation, (() => void)[]>();

  constructor(scheduler: Scheduler, random: Random, weather: Weather, sightings: Sightings, trace: Trace) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.weather = weather;
    this.#sightings = sightings;
    this.#trace = trace;
  }

  /** The port as `from` sees it. */
  connect<Port extends object>(from: Incarnation, peer: PeerName, port: Port): Port {
    const connected: Record<string, unknown> = {};
    for (const [method, value] of Object.entries(port)) {
      const effect = value as (...args: unknown[]) => Promise<unknown>;
      connected[method] = (...args: unknown[]) => this.call(from, peer, method, () => effect(...args));
    }
    return connected as Port;
  }

  /** As `connect`, for what is on the node's own disk: it outlives the process, and no network comes between. */
  attach<Port extends object>(from: Incarnation, disk: string, port: Port): Port {
    const attached: Record<string, unknown> = {};
    for (const [method, value] of Object.entries(port)) {
      const effect = value as (...args: unknown[]) => Promise<unknown>;
      // Calls of one kind are answered in their order.
      let answeredMs = 0;
      attached[method] = (...args: unknown[]) => {
        const random = this.#random;
        const scheduler = this.#scheduler;
        this.#trace?.push(`${scheduler.nowMs()} ${from.name} ${disk}.${method}`);
        return new Promise((resolve, reject) => {
          if (!from.alive()) return;
          const crash = this.#isCrash(`${disk}.${method}`);
          if (crash && random.chance(0.5)) return from.crash();
          const answer = (finish: () => void) => {
            const delayMs = random.int(random.chance(0.1) ? 10 * DISK_MS_MAX : DISK_MS_MAX);
            answeredMs = Math.max(answeredMs, scheduler.nowMs() + delayMs);
            scheduler.after(answeredMs - scheduler.nowMs(), () => {
              if (from.alive()) (crash ? from.crash : finish)();
            });
          };
          effect(...args).then(
            (result) => answer(() => resolve(result)),
            (error: unknown) => answer(() => reject(error)),
          );
        });
      };
    }
    return attached as Port;
  }

  outage(peer: PeerName, ms: number): void {
    this.#sightings.saw(`${peer}: an outage`);
    this.#outageUntilMs.set(peer, Math.max(this.#scheduler.nowMs() + ms, this.#outageUntilMs.get(peer) ?? 0));
  }

  #isAway(peer: PeerName): boolean {
    return this.#scheduler.nowMs() < (this.#outageUntilMs.get(peer) ?? 0);
  }

  #isCrash(method: string): boolean {
    const { ambush, crashChance } = this.weather;
    const ambushed = method === ambush && this.#ambushes < AMBUSHES_MAX && this.#random.chance(AMBUSH_CHANCE);
    if (ambushed) this.#ambushes++;
    return ambushed || this.#random.chance(crashChance);
  }

  /** Whatever comes while another waits in the queue of the node goes behind it. */
  #isQueued(from: Incarnation, arrive: () => void): boolean {
    const queue = this.#queues.get(from);
    if (queue !== undefined) {
      queue.push(arrive);
      return true;
    }
    if (!this.#isAway("EventLog") || !this.#random.chance(this.weather.queuedChance)) return false;
    this.#queues.set(from, [arrive]);
    this.#release(from);
    return true;
  }

  #release(from: Incarnation): void {
    this.#scheduler.after(this.#outageUntilMs.get("EventLog")! - this.#scheduler.nowMs(), () => {
      if (this.#isAway("EventLog")) return this.#release(from);
      const queue = this.#queues.get(from)!;
      this.#queues.delete(from);
      // It was in the memory of the process.
      if (from.alive()) for (const arrive of queue) arrive();
    });
  }

  call<T>(from: Incarnation, peer: PeerName, method: string, effect: () => Promise<T>): Promise<T> {
    const { weather } = this;
    const random = this.#random;
    const scheduler = this.#scheduler;
    this.#trace?.push(`${scheduler.nowMs()} ${from.name} ${peer}.${method}`);
    return new Promise<T>((resolve, reject) => {
      if (!from.alive()) return;
      const saw = (what: string) => this.#sightings.saw(`${peer}: ${what}`);
      const crash = this.#isCrash(method);
      if (crash && random.chance(0.5)) {
        saw("the caller crashed before the question");
        from.crash();
        return;
      }
      if (random.chance(weather.outageChance)) {
        this.outage(peer, random.int(weather.outageMsMax));
      }
      const crashAtAnswer = crash;
      const lost = random.chance(weather.lostChance);
      const answerLost = random.chance(weather.answerLostChance);
      const inOrder = peer === "EventLog";
      const delayed = !inOrder && random.chance(weather.delayedChance);
      const repeated = !inOrder && random.chance(weather.repeatedChance);
      scheduler.after(weather.timeoutMs, () => {
        if (from.alive()) reject(unavailable(peer, `no answer to ${method}`));
      });
      if (lost) {
        saw("a question was lost");
        return;
      }

      const arrive = (answers: boolean) => {
        if (peer === "EventLog" && method === "append" && this.#isQueued(from, () => arrive(answers))) {
          saw("a record waited for the end of an outage");
          return;
        }
        if (this.#isAway(peer)) {
          if (answers && from.alive()) reject(unavailable(peer, "outage"));
          return;
        }
        void effect().then(
          (value) => {
            if (!answers) saw("a call took effect that nobody waited for");
            else if (answerLost) saw("an answer was lost");
            if (!answers || answerLost) return;
            scheduler.after(random.int(weather.latencyMsMax + 1), () => {
              if (!from.alive()) return;
              this.#trace?.push(`${scheduler.nowMs()} ${from.name} ${peer}.${method} answered`);
              if (crashAtAnswer) {
                saw("the caller crashed before the answer");
                from.crash();
              } else resolve(value);
            });
          },
          (error: unknown) => from.alive() && reject(error),
        );
      };
      let travelMs = random.int(weather.latencyMsMax + 1);
      if (inOrder && random.chance(weather.stallChance)) {
        saw("a stall");
        travelMs += random.int(weather.timeoutMs);
      }
      if (inOrder) {
        travelMs = Math.max(travelMs, (this.#logArrivalMs.get(from) ?? 0) - scheduler.nowMs());
        this.#logArrivalMs.set(from, scheduler.nowMs() + travelMs);
      }
      if (delayed) scheduler.after(weather.timeoutMs + random.int(weather.delayMsMax + 1), () => arrive(false));
      else scheduler.after(travelMs, () => arrive(true));
      if (repeated) scheduler.after(travelMs + 1 + random.int(weather.delayMsMax + 1), () => arrive(false));
    });
  }
}

const unavailable = (peer: PeerName, reason: string): Error =>
  peer === "Provider" ? new Error(reason) : new StoreUnavailable(peer, reason);
