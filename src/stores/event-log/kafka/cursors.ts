import { StoreUnavailable } from "../../unavailable.ts";
import type { LogBatch, Topic } from "../port.ts";
import { type KafkaClient, topicIndexOf } from "./client.ts";
import { ERROR, type Handle } from "./library.ts";
import type { Offsets } from "./offsets.ts";
import type { Wake } from "./wake.ts";

export interface CursorsOptions {
  readonly wake: Wake;
  readonly openClient: () => KafkaClient;
  readonly starts: Offsets;
  readonly ends: Offsets;
  /** How many readers of one partition can be at different offsets and each go on where it was. */
  readonly readersMax: number;
  /** How long a read waits for records that are there. */
  readonly timeoutMs: number;
}

/** Where one client fetches ahead in one partition. */
interface Cursor {
  readonly client: KafkaClient;
  readonly handle: Handle;
  readonly topic: Topic;
  readonly partition: number;
  /** What it gives next; NaN where that is not known. */
  next: number;
  isBusy: boolean;
  /** It stood where there is no record, from where it goes nowhere by itself. */
  isStopped: boolean;
  /** When it was last used, in reads. */
  usedAt: number;
}

interface Waiter {
  readonly cursor: Cursor;
  readonly bytesMax: number;
  readonly answer: (batch: LogBatch | null) => void;
  readonly fail: (error: unknown) => void;
  /** Asked where the partition starts. */
  isLost: boolean;
  /** The cursor may be another reader's by now. */
  isOver: boolean;
}

/** More than the largest record (`message.max.bytes`), so that any fits behind what `bytesMax` allows. */
const RECORD_BYTES_MAX = 1 << 20;
const RECORDS_MAX = 1 << 16;

/**
 * Reads from any offset, over clients that read on. A client of librdkafka has one place in a partition, from where it
 * fetches ahead into a bounded queue; so readers of one partition that are at different places need a client each. A read
 * takes the cursor that stands at its offset, which is how a reader goes on at the price of a copy; else it moves one, which
 * costs a round trip to the broker.
 */
export class Cursors {
  readonly #options: CursorsOptions;
  readonly #clients: Map<string, Cursor>[] = [];
  readonly #opened: KafkaClient[] = [];
  readonly #waiting = new Set<Waiter>();
  /** Reads for which no cursor is free. */
  readonly #queued: (() => void)[] = [];
  readonly #stopListening: () => void;
  readonly #ends = new Uint32Array(new ArrayBuffer(RECORDS_MAX * 4));
  readonly #answer = new Float64Array(5);
  #bytes = new Uint8Array(2 * RECORD_BYTES_MAX);
  #readCount = 0;
  #isClosed = false;

  constructor(options: CursorsOptions) {
    this.#options = options;
    this.#stopListening = options.wake.on(() => this.#look());
  }

  /** As `EventLog.read`. */
  async read(topic: Topic, partition: number, from: number, bytesMax: number, waitMs: number): Promise<LogBatch> {
    const cursor = await this.#acquire(topic, partition, from);
    try {
      return await this.#read(cursor, from, bytesMax, waitMs);
    } finally {
      cursor.isBusy = false;
      cursor.usedAt = ++this.#readCount;
      this.#queued.shift()?.();
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopListening();
    for (const { answer } of this.#waiting) answer(null);
    for (const queued of this.#queued.splice(0)) queued();
    await Promise.all(this.#opened.map((client) => client.close()));
  }

  async #read(cursor: Cursor, from: number, bytesMax: number, waitMs: number): Promise<LogBatch> {
    const { ends, timeoutMs } = this.#options;
    const waiting = this.#begin(cursor, bytesMax);
    try {
      if (waitMs > 0) return (await waiting.within(waitMs)) ?? emptyAt(from);
      const fetched = waiting.now();
      if (fetched !== null) return fetched;
      if (from >= (await ends.of(cursor.topic, cursor.partition))) return emptyAt(from);
      const batch = await waiting.within(timeoutMs);
      if (batch !== null) return batch;
      if (this.#isClosed) return emptyAt(from);
      throw new StoreUnavailable("EventLog", `nothing comes of ${cursor.topic} ${cursor.partition} at ${from}`);
    } finally {
      waiting.end();
    }
  }

  #begin(cursor: Cursor, bytesMax: number) {
    const { promise, reject, resolve } = Promise.withResolvers<LogBatch | null>();
    const waiter: Waiter = { cursor, bytesMax, answer: resolve, fail: reject, isLost: false, isOver: false };
    let taken: LogBatch | null = null;
    let timer: Timer | undefined;
    const now = (): LogBatch | null => (taken ??= this.#take(waiter));
    return {
      now,
      /** null: none came. */
      within: async (ms: number): Promise<LogBatch | null> => {
        // The queue wakes only those who have found it empty.
        if (now() !== null || this.#isClosed) return taken;
        this.#waiting.add(waiter);
        timer = setTimeout(() => resolve(null), ms);
        return promise;
      },
      end: (): void => {
        clearTimeout(timer);
        waiter.isOver = true;
        this.#waiting.delete(waiter);
      },
    };
  }

  #look(): void {
    for (const waiter of this.#waiting) {
      try {
        const batch = this.#take(waiter);
        if (batch === null) continue;
        this.#waiting.delete(waiter);
        waiter.answer(batch);
      } catch (error) {
        this.#waiting.delete(waiter);
        waiter.fail(error);
      }
    }
  }

  /** What was fetched, if anything. */
  #take(waiter: Waiter): LogBatch | null {
    const { bytesMax, cursor } = waiter;
    const capacity = Math.max(this.#bytes.length, bytesMax + RECORD_BYTES_MAX);
    if (capacity > this.#bytes.length) this.#bytes = new Uint8Array(capacity);
    const { library } = cursor.client;
    library.pp_cursor_read(
      cursor.handle,
      cursor.next,
      this.#bytes,
      capacity,
      Math.max(1, bytesMax),
      this.#ends,
      RECORDS_MAX,
      this.#answer,
    );
    const [firstOffset, count, byteCount, neededBytes, code] = this.#answer as unknown as readonly number[];
    if (neededBytes! > 0) {
      this.#bytes = new Uint8Array(neededBytes! + RECORD_BYTES_MAX);
      return this.#take(waiter);
    }
    if (code !== 0) {
      this.#failed(waiter, code!);
      return null;
    }
    if (count === 0) return null;
    cursor.next = firstOffset! + count!;
    return { firstOffset: firstOffset!, bytes: this.#bytes.slice(0, byteCount), ends: this.#ends.slice(0, count) };
  }

  #failed(waiter: Waiter, code: number): void {
    const { cursor } = waiter;
    if (code === ERROR.autoOffsetReset) {
      cursor.isStopped = true;
      if (!waiter.isLost) void this.#find(waiter);
      return;
    }
    cursor.next = Number.NaN;
    throw new StoreUnavailable("EventLog", String(cursor.client.library.rd_kafka_err2str(code)));
  }

  /**
   * The partition has no such offset. Where it starts later, for records are kept for a time, the reader goes on from there,
   * also when nothing is there. One that is past the end waits: whatever it were given, it has read before.
   */
  async #find(waiter: Waiter): Promise<void> {
    const { cursor } = waiter;
    waiter.isLost = true;
    try {
      const from = cursor.next;
      const start = await this.#options.starts.of(cursor.topic, cursor.partition);
      const end = await this.#options.ends.of(cursor.topic, cursor.partition);
      if (waiter.isOver) return;
      if (start > from) {
        this.#move(cursor, start);
        if (end <= start) waiter.answer(emptyAt(start));
      } else cursor.next = Number.NaN;
      waiter.isLost = false;
    } catch (error) {
      if (!waiter.isOver) cursor.next = Number.NaN;
      waiter.fail(error);
    }
  }

  async #acquire(topic: Topic, partition: number, from: number): Promise<Cursor> {
    for (;;) {
      if (this.#isClosed) throw new StoreUnavailable("EventLog", "it is closed");
      const cursor = this.#cursorAt(topic, partition, from);
      if (cursor !== null) {
        cursor.isBusy = true;
        return cursor;
      }
      await new Promise<void>((resolve) => this.#queued.push(resolve));
    }
  }

  /** null: all are busy. */
  #cursorAt(topic: Topic, partition: number, from: number): Cursor | null {
    const name = `${topic} ${partition}`;
    const idle: Cursor[] = [];
    for (const cursors of this.#clients) {
      const cursor = cursors.get(name);
      if (cursor === undefined || cursor.isBusy) continue;
      if (cursor.next === from && !cursor.isStopped) return cursor;
      idle.push(cursor);
    }
    let without = this.#clients.findIndex((cursors) => !cursors.has(name));
    if (without < 0 && this.#clients.length < this.#options.readersMax) {
      without = this.#clients.push(new Map()) - 1;
      this.#opened.push(this.#options.openClient());
    }
    if (without >= 0) return this.#open(without, topic, partition, from);
    if (idle.length === 0) return null;
    const oldest = idle.reduce((one, other) => (other.usedAt < one.usedAt ? other : one));
    this.#move(oldest, from);
    return oldest;
  }

  #open(index: number, topic: Topic, partition: number, from: number): Cursor {
    const client = this.#opened[index]!;
    const handle = client.library.pp_cursor_open(
      client.handle,
      client.topic(topicIndexOf(topic)),
      partition,
      from,
      this.#options.wake.fd,
    );
    if (handle === null) throw new StoreUnavailable("EventLog", `${topic} ${partition} can't be read`);
    client.cursors.push(handle);
    const cursor = {
      client,
      handle,
      topic,
      partition,
      next: from,
      isBusy: false,
      isStopped: false,
      usedAt: ++this.#readCount,
    };
    this.#clients[index]!.set(`${topic} ${partition}`, cursor);
    return cursor;
  }

  #move(cursor: Cursor, offset: number): void {
    const { library } = cursor.client;
    const code = cursor.isStopped
      ? library.pp_cursor_restart(cursor.handle, offset)
      : library.pp_cursor_seek(cursor.handle, offset);
    cursor.isStopped = false;
    cursor.next = code === 0 ? offset : Number.NaN;
    if (code !== 0) throw new StoreUnavailable("EventLog", String(cursor.client.library.rd_kafka_err2str(code)));
  }
}

const emptyAt = (firstOffset: number): LogBatch => ({
  firstOffset,
  bytes: new Uint8Array(0),
  ends: new Uint32Array(0),
});
