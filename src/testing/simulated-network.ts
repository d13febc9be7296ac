import { StoreUnavailable } from "../stores/unavailable.ts";
import type { Random } from "../domain/random.ts";
import type { Scheduler } from "./scheduler.ts";

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
  /** One call in so many begins an outage of that peer. */
  readonly outageChance: number;
  readonly outageMsMax: number;
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
  outageChance: 0,
  outageMsMax: 0,
  timeoutMs: 1000,
};

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
  readonly #outageUntilMs = new Map<PeerName, number>();
  /** The log keeps the order of one node's appends and repeats none; so nothing overtakes on the way to it. */
  readonly #logArrivalMs = new Map<Incarnation, number>();

  constructor(scheduler: Scheduler, random: Random, weather: Weather, trace: Trace) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.weather = weather;
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
      if (random.chance(weather.crashChance)) {
        from.crash();
        return;
      }
      if (random.chance(weather.outageChance)) {
        this.#outageUntilMs.set(peer, scheduler.nowMs() + random.int(weather.outageMsMax));
      }
      const crashAtAnswer = random.chance(weather.crashChance);
      const lost = random.chance(weather.lostChance);
      const answerLost = random.chance(weather.answerLostChance);
      const inOrder = peer === "EventLog";
      const delayed = !inOrder && random.chance(weather.delayedChance);
      const repeated = !inOrder && random.chance(weather.repeatedChance);
      scheduler.after(weather.timeoutMs, () => {
        if (from.alive()) reject(unavailable(peer, `no answer to ${method}`));
      });
      if (lost) return;

      const arrive = (answers: boolean) => {
        if (scheduler.nowMs() < (this.#outageUntilMs.get(peer) ?? 0)) {
          if (answers && from.alive()) reject(unavailable(peer, "outage"));
          return;
        }
        void effect().then(
          (value) => {
            if (!answers || answerLost) return;
            scheduler.after(random.int(weather.latencyMsMax + 1), () => {
              if (!from.alive()) return;
              this.#trace?.push(`${scheduler.nowMs()} ${from.name} ${peer}.${method} answered`);
              if (crashAtAnswer) from.crash();
              else resolve(value);
            });
          },
          (error: unknown) => from.alive() && reject(error),
        );
      };
      let travelMs = random.int(weather.latencyMsMax + 1);
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
