import { StoreUnavailable } from "../../unavailable.ts";

interface Waiting<Call, Answer> {
  readonly call: Call;
  tries: number;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/** `again`: something changed while the group was under way; the call goes with the next. */
export const AGAIN = Symbol("again");

export interface LaneLimits {
  /** Groups that may be on their way at once: while one waits for its commit, the next does its work. */
  readonly groupsMax: number;
  readonly callsPerGroupMax: number;
  /** Calls that may wait for a group; past it a call rejects with `StoreUnavailable`. */
  readonly waitingMax: number;
}

const TRIES_MAX = 100;

/**
 * Calls that arrive while earlier ones are being committed, and within one turn of the loop, go as one group. So groups grow
 * with the load, and an idle lane answers at once. A group that fails as a fault is halved and done again, so that the call
 * with the fault alone fails. When the server is lost, those who wait hear so with the group: they would hear the same, as much
 * later.
 */
export class GroupLane<Call, Answer> {
  readonly #limits: LaneLimits;
  readonly #commit: (calls: readonly Call[]) => Promise<readonly (Answer | typeof AGAIN)[]>;
  #gathered: Waiting<Call, Answer>[] = [];
  #groups = 0;
  #isScheduled = false;

  constructor(limits: LaneLimits, commit: (calls: readonly Call[]) => Promise<readonly (Answer | typeof AGAIN)[]>) {
    this.#limits = limits;
    this.#commit = commit;
  }

  call(call: Call): Promise<Answer> {
    if (this.#gathered.length >= this.#limits.waitingMax) {
      return Promise.reject(new StoreUnavailable("Catalog", "too many calls wait"));
    }
    return new Promise((resolve, reject) => {
      this.#gathered.push({ call, tries: 0, resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled || this.#groups >= this.#limits.groupsMax) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      const group = this.#gathered.splice(0, this.#limits.callsPerGroupMax);
      if (group.length === 0) return;
      this.#groups++;
      void this.#perform(group).finally(() => {
        this.#groups--;
        if (this.#gathered.length > 0) this.#schedule();
      });
      if (this.#gathered.length > 0) this.#schedule();
    });
  }

  async #perform(group: readonly Waiting<Call, Answer>[]): Promise<void> {
    let answers: readonly (Answer | typeof AGAIN)[];
    try {
      answers = await this.#commit(group.map(({ call }) => call));
    } catch (error) {
      const isLost = error instanceof StoreUnavailable;
      if (isLost || group.length === 1) {
        const failed = isLost ? [...group, ...this.#gathered.splice(0)] : group;
        for (const { reject } of failed) reject(error);
        return;
      }
      const middle = group.length >> 1;
      await this.#perform(group.slice(0, middle));
      return this.#perform(group.slice(middle));
    }
    for (const [index, waiting] of group.entries()) {
      const answer = answers[index]!;
      if (answer !== AGAIN) waiting.resolve(answer as Answer);
      else if (++waiting.tries < TRIES_MAX) this.#gathered.push(waiting);
      else waiting.reject(new StoreUnavailable("Catalog", "what the call asks for keeps changing"));
    }
  }
}
