import { StoreUnavailable } from "../../unavailable.ts";
import { type Topic, TOPICS } from "../port.ts";
import type { Admin } from "./admin.ts";
import { topicIndexOf } from "./client.ts";

interface Asked {
  readonly topicIndex: number;
  readonly partition: number;
  readonly askers: PromiseWithResolvers<number>[];
  /** When those who ask are told that nobody knows. */
  readonly giveUpAtMs: number;
}

const RETRY_MS = 50;

/**
 * Where partitions start or end. An answer is true at some moment after the question, for it was asked of the leader after
 * it; those who ask while a question is under way share the next. A partition that has no leader at the moment (its broker
 * has just come back) is asked for again.
 */
export class Offsets {
  readonly #admin: Pick<Admin, "offsets">;
  readonly #which: "start" | "end";
  readonly #timeoutMs: number;
  #next = new Map<string, Asked>();
  #isAsking = false;

  constructor(admin: Pick<Admin, "offsets">, which: "start" | "end", timeoutMs: number) {
    this.#admin = admin;
    this.#which = which;
    this.#timeoutMs = timeoutMs;
  }

  of(topic: Topic, partition: number): Promise<number> {
    const topicIndex = topicIndexOf(topic);
    const name = nameOf(topicIndex, partition);
    const asker = Promise.withResolvers<number>();
    const asked = this.#next.get(name);
    if (asked) asked.askers.push(asker);
    else {
      const giveUpAtMs = performance.now() + this.#timeoutMs;
      this.#next.set(name, { topicIndex, partition, askers: [asker], giveUpAtMs });
    }
    if (!this.#isAsking) {
      this.#isAsking = true;
      queueMicrotask(() => void this.#askAll());
    }
    return asker.promise;
  }

  async #askAll(): Promise<void> {
    while (this.#next.size > 0) {
      const asked = this.#next;
      this.#next = new Map();
      if (!(await this.#ask(asked))) await Bun.sleep(RETRY_MS);
    }
    this.#isAsking = false;
  }

  /** false: some are to be asked again. */
  async #ask(asked: Map<string, Asked>): Promise<boolean> {
    try {
      for (const { code, offset, partition, topicIndex } of await this.#admin.offsets(
        [...asked.values()],
        this.#which,
      )) {
        // A leader that stood still is told by an offset that is none, without an error (RD_KAFKA_OFFSET_INVALID).
        if (code !== 0 || offset < 0) continue;
        const name = nameOf(topicIndex, partition);
        for (const { resolve } of asked.get(name)!.askers) resolve(offset);
        asked.delete(name);
      }
    } catch (error) {
      // Those who asked meanwhile would hear the same, as much later.
      for (const one of [asked, this.#next])
        for (const { askers } of one.values()) for (const { reject } of askers) reject(error);
      this.#next = new Map();
      return true;
    }
    for (const [name, again] of asked) {
      if (performance.now() < again.giveUpAtMs) {
        const since = this.#next.get(name);
        if (since) since.askers.push(...again.askers);
        else this.#next.set(name, again);
        continue;
      }
      const error = new StoreUnavailable("EventLog", "the leader of a partition does not answer");
      for (const { reject } of again.askers) reject(error);
    }
    return asked.size === 0;
  }
}

const PARTITIONS_MAX = Math.max(...Object.values(TOPICS).map(({ partitionCount }) => partitionCount));

const nameOf = (topicIndex: number, partition: number): string => String(topicIndex * PARTITIONS_MAX + partition);
