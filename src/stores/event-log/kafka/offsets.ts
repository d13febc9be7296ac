import { StoreUnavailable } from "../../unavailable.ts";
import { type Topic, TOPICS } from "../port.ts";
import type { Admin } from "./admin.ts";
import { topicIndexOf } from "./client.ts";

type Asked = Map<string, { readonly topicIndex: number; readonly partition: number; readonly askers: Asker[] }>;
type Asker = PromiseWithResolvers<number>;

/**
 * Where partitions start or end. An answer is true at some moment after the question, for it was asked of the leader after
 * it; those who ask while a question is under way share the next.
 */
export class Offsets {
  readonly #admin: Admin;
  readonly #which: "start" | "end";
  #next: Asked = new Map();
  #isAsking = false;

  constructor(admin: Admin, which: "start" | "end") {
    this.#admin = admin;
    this.#which = which;
  }

  of(topic: Topic, partition: number): Promise<number> {
    const name = nameOf(topicIndexOf(topic), partition);
    const asker = Promise.withResolvers<number>();
    const asked = this.#next.get(name);
    if (asked) asked.askers.push(asker);
    else this.#next.set(name, { topicIndex: topicIndexOf(topic), partition, askers: [asker] });
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
      await this.#ask(asked);
    }
    this.#isAsking = false;
  }

  async #ask(asked: Asked): Promise<void> {
    let failure: unknown = new StoreUnavailable("EventLog", "the leader of a partition does not answer");
    try {
      for (const { code, offset, partition, topicIndex } of await this.#admin.offsets(
        [...asked.values()],
        this.#which,
      )) {
        if (code !== 0) continue;
        const name = nameOf(topicIndex, partition);
        for (const { resolve } of asked.get(name)!.askers) resolve(offset);
        asked.delete(name);
      }
    } catch (error) {
      failure = error;
    }
    for (const { askers } of asked.values()) for (const { reject } of askers) reject(failure);
  }
}

const PARTITIONS_MAX = Math.max(...Object.values(TOPICS).map(({ partitionCount }) => partitionCount));

const nameOf = (topicIndex: number, partition: number): string => String(topicIndex * PARTITIONS_MAX + partition);
