import { StoreUnavailable } from "../../unavailable.ts";

export interface CallLimits {
  /** After it a call fails, whatever becomes of it. */
  readonly timeoutMs: number;
  /** Calls that the client has not ended, those past their time too: past it callers hear of it at once. */
  readonly callsMax: number;
}

interface Waiting {
  readonly untilMs: number;
  expire(): void;
}

/**
 * Calls under way to a server that may fall silent: bounded in number and in time. All have the same time, so the oldest is
 * the first to expire and one timer serves all; a timer a call would cost as much as the call.
 */
export class CallsUnderWay {
  readonly #limits: CallLimits;
  /** In the order in which they began. */
  readonly #waiting = new Set<Waiting>();
  #underWay = 0;
  #timer: Timer | null = null;
  #onIdle: (() => void) | null = null;

  constructor(limits: CallLimits) {
    this.#limits = limits;
  }

  /** Every failure is a StoreUnavailable: a server that refuses a call of ours can't be used. */
  run<T>(begin: () => Promise<T>): Promise<T> {
    const { callsMax, timeoutMs } = this.#limits;
    if (this.#underWay >= callsMax) return Promise.reject(unavailable(`${callsMax} calls are under way`));
    return new Promise<T>((resolve, reject) => {
      const waiting: Waiting = {
        untilMs: performance.now() + timeoutMs,
        expire: () => reject(unavailable(`no answer within ${timeoutMs} ms`)),
      };
      this.#waiting.add(waiting);
      this.#underWay++;
      if (this.#timer === null) this.#timer = setTimeout(this.#look, timeoutMs);
      const ended = () => {
        this.#waiting.delete(waiting);
        if (--this.#underWay === 0) this.#onIdle?.();
      };
      const failed = (error: unknown) => {
        ended();
        reject(unavailable(error instanceof Error ? error.message : String(error), error));
      };
      try {
        begin().then((answer) => {
          ended();
          resolve(answer);
        }, failed);
      } catch (error) {
        failed(error);
      }
    });
  }

  /** Resolves when nothing is under way, or when the time of every call is over. */
  async ended(): Promise<void> {
    if (this.#underWay === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onIdle = resolve;
    const timer = setTimeout(resolve, this.#limits.timeoutMs);
    await promise;
    clearTimeout(timer);
  }

  /** After an event loop that stood still, answers that have come wait behind the timer: they are let in first. */
  readonly #look = () => setImmediate(this.#expire);

  readonly #expire = () => {
    this.#timer = null;
    const nowMs = performance.now();
    for (const waiting of this.#waiting) {
      if (waiting.untilMs > nowMs) {
        this.#timer = setTimeout(this.#look, waiting.untilMs - nowMs);
        return;
      }
      this.#waiting.delete(waiting);
      waiting.expire();
    }
  };
}

const unavailable = (reason: string, cause?: unknown) =>
  new StoreUnavailable("HotStore", reason, cause === undefined ? undefined : { cause });
