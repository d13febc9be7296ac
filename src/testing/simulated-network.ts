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
  fullChance: 0,
  timeoutMs: 1000,
};

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
  /** The log keeps the order of one node's appends and repeats none; so nothing overtakes on the way to it. */
  #ambushes = 0;
  readonly #logArrivalMs = new Map<Incarnation, number>();

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

  call<T>(from: Incarnation, peer: PeerName, method: string, effect: () => Promise<T>): Promise<T> {
    const { weather } = this;
    const random = this.#random;
    const scheduler = this.#scheduler;
    this.#trace?.push(`${scheduler.nowMs()} ${from.name} ${peer}.${method}`);
    return new Promise<T>((resolve, reject) => {
      if (!from.alive()) return;
      const saw = (what: string) => this.#sightings.saw(`${peer}: ${what}`);
      const ambushed = method === weather.ambush && this.#ambushes < AMBUSHES_MAX && random.chance(AMBUSH_CHANCE);
      if (ambushed) this.#ambushes++;
      const crash = ambushed || random.chance(weather.crashChance);
      if (crash && random.chance(0.5)) {
        saw("the caller crashed before the question");
        from.crash();
        return;
      }
      if (random.chance(weather.outageChance)) {
        saw("an outage");
        this.#outageUntilMs.set(peer, scheduler.nowMs() + random.int(weather.outageMsMax));
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
        if (scheduler.nowMs() < (this.#outageUntilMs.get(peer) ?? 0)) {
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
