import { drainMicrotasks } from "bun:jsc";
import type { Clock } from "../domain/clock.ts";

interface Event {
  readonly atMs: number;
  readonly seq: number;
  readonly act: () => void;
}

/**
 * Simulated time. Whatever waits, waits here, so one seed is one order of events: the next event is the earliest, of equal
 * ones the first that was asked for, and between two events every promise that can settle has settled.
 */
export class Scheduler implements Clock {
  /** Binary heap by (time, order of asking). */
  readonly #heap: Event[] = [];
  #seq = 0;
  #nowMs = 0;

  nowMs(): number {
    return this.#nowMs;
  }

  get eventCount(): number {
    return this.#seq;
  }

  after(ms: number, act: () => void): void {
    this.#push({ atMs: this.#nowMs + ms, seq: this.#seq++, act });
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** Runs until `done` or until `untilMs`; true if it was done. */
  run(untilMs: number, done: () => boolean): boolean {
    drainMicrotasks();
    while (!done()) {
      // One that is not due stays, for the run may go on later.
      const next = (this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY) > untilMs ? null : this.#pop();
      if (next === null) return false;
      this.#nowMs = next.atMs;
      next.act();
      drainMicrotasks();
    }
    return true;
  }

  #push(event: Event): void {
    let index = this.#heap.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(event, this.#heap[parent]!)) break;
      this.#heap[index] = this.#heap[parent]!;
      index = parent;
    }
    this.#heap[index] = event;
  }

  #pop(): Event | null {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first === undefined || last === undefined) return null;
    const count = this.#heap.length;
    if (count === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= count) break;
      if (child + 1 < count && isBefore(this.#heap[child + 1]!, this.#heap[child]!)) child++;
      if (!isBefore(this.#heap[child]!, last)) break;
      this.#heap[index] = this.#heap[child]!;
      index = child;
    }
    this.#heap[index] = last;
    return first;
  }
}

const isBefore = (a: Event, b: Event): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.seq < b.seq);
