import { bytesOf, textOf } from "../../contract.ts";
import { StoreUnavailable } from "../../unavailable.ts";
import { type EventLog, forEachRecord, type LogPosition, partitionOf, partitionsOf } from "../port.ts";

interface Acknowledged extends LogPosition {
  readonly text: string;
}

export interface AppendLoadOptions {
  readonly keyCount: number;
  /** Of one key; those that are under way at one time must end up in order too. */
  readonly underWayCount: number;
  /** Between the answers of a key's appends and its next ones. */
  readonly pauseMs: number;
}

/** Team saves without end, from the constructor until `stop`, for tests that take brokers away meanwhile. */
export class AppendLoad {
  readonly #log: EventLog;
  readonly #options: AppendLoadOptions;
  readonly #acknowledged: Acknowledged[] = [];
  readonly #running: Promise<unknown>;
  readonly #countOfKey: number[];
  #isStopped = false;
  #refusedCount = 0;
  #longestMs = 0;

  constructor(log: EventLog, options: AppendLoadOptions) {
    this.#log = log;
    this.#options = options;
    this.#countOfKey = Array<number>(options.keyCount).fill(0);
    this.#running = Promise.all(Array.from({ length: options.keyCount }, (_, key) => this.#run(key)));
  }

  get acknowledgedCount(): number {
    return this.#acknowledged.length;
  }

  get refusedCount(): number {
    return this.#refusedCount;
  }

  /** Answers whether of each key more were acknowledged since than had been asked for by now. */
  everyKeyAgain(): () => boolean {
    const counts = this.#countOfKey.map((count) => count + this.#options.underWayCount);
    return () => counts.every((count, key) => this.#countOfKey[key]! > count);
  }

  /** Of the appends that were acknowledged since this was asked last, how long the slowest took. */
  takeLongestMs(): number {
    const longestMs = this.#longestMs;
    this.#longestMs = 0;
    return longestMs;
  }

  /** Rejects if an append was refused in another way than as the port says. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  /**
   * What of the log is not as it should be, in words: acknowledged records that are elsewhere or nowhere, and records that come for the
   * first time after a later one of their key. `texts`: all records of each partition.
   */
  violations(texts: readonly (readonly string[])[]): string[] {
    const found: string[] = [];
    for (const { offset, partition, text } of this.#acknowledged) {
      const there = texts[partition]![offset];
      if (there !== text) found.push(`${text} was acknowledged at ${partition} ${offset}, where ${there} is`);
    }
    for (let key = 0; key < this.#options.keyCount; key++) {
      let newest = -1;
      for (const step of new Set(this.#stepsOf(key, texts))) {
        if (step < newest) found.push(`${key}:${step} stands after ${key}:${newest}`);
        newest = step;
      }
    }
    return found;
  }

  /** How many records are in the log more often than once. */
  repeatedCount(texts: readonly (readonly string[])[]): number {
    const all = texts.flat();
    return all.length - new Set(all).size;
  }

  #stepsOf(key: number, texts: readonly (readonly string[])[]): number[] {
    const ofPartition = texts[partitionOf("team-saves", key)]!.map((text) => text.split(":").map(Number));
    return ofPartition.flatMap(([ofKey, step]) => (ofKey === key ? [step!] : []));
  }

  async #run(key: number): Promise<void> {
    for (let step = 0; !this.#isStopped; step += this.#options.underWayCount) {
      const steps = Array.from({ length: this.#options.underWayCount }, (_, index) => step + index);
      await Promise.all(steps.map((one) => this.#append(key, `${key}:${one}`)));
      if (this.#options.pauseMs > 0) await Bun.sleep(this.#options.pauseMs);
    }
  }

  async #append(key: number, text: string): Promise<void> {
    const beganMs = performance.now();
    try {
      const position = await this.#log.append("team-saves", key, bytesOf(text));
      this.#acknowledged.push({ ...position, text });
      this.#countOfKey[key]!++;
      this.#longestMs = Math.max(this.#longestMs, performance.now() - beganMs);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      this.#refusedCount++;
    }
  }
}

/** All team saves that a log has, by partition and offset. */
export const allTexts = (log: EventLog): Promise<string[][]> =>
  Promise.all(
    partitionsOf("team-saves").map(async (partition) => {
      const end = await log.endOffset("team-saves", partition);
      const texts: string[] = [];
      while (texts.length < end) await readOn(log, partition, texts, 0);
      return texts;
    }),
  );

/** Adds what comes after the texts that were read. */
export async function readOn(log: EventLog, partition: number, texts: string[], waitMs: number): Promise<void> {
  const batch = await log.read("team-saves", partition, texts.length, 1 << 20, waitMs);
  if (batch.firstOffset !== texts.length) throw new Error(`asked from ${texts.length}, got from ${batch.firstOffset}`);
  forEachRecord(batch, (value) => texts.push(textOf(value)));
}
