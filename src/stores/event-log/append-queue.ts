import { StoreUnavailable } from "../unavailable.ts";
import type { LogPosition, Topic } from "./port.ts";

/** Records of one partition, as they are stored and read: record i is `bytes[ends[i-1] ?? 0, ends[i])`. */
export interface PackedRecords {
  readonly topic: Topic;
  readonly partition: number;
  readonly ends: Uint32Array;
  readonly bytes: Uint8Array;
}

/** Answers the offset of the first record of each. */
export type CommitRecords = (rows: readonly PackedRecords[]) => Promise<readonly number[]>;

/**
 * A row holds about as much, so that a reader who asks for little is not given a whole group commit. Large enough that
 * reading millions of records is a few hundred rows.
 */
const ROW_BYTES_MAX = 256 * 1024;

interface Waiting {
  readonly value: Uint8Array;
  resolve(position: LogPosition): void;
  reject(error: unknown): void;
}

interface OpenRow {
  readonly topic: Topic;
  readonly partition: number;
  readonly records: Waiting[];
  byteCount: number;
}

/**
 * Packs the records that arrive while the previous commit runs. They cross to the writer as two arrays a partition, which
 * costs nothing a record; one message a record would cost more than storing it.
 */
export class AppendQueue {
  readonly #commit: CommitRecords;
  readonly #pendingMax: number;
  readonly #onDurable: (topic: Topic, partition: number) => void;
  readonly #turn: () => Promise<unknown>;
  /** The row that takes the next record of a partition, by its name. */
  readonly #open = new Map<string, OpenRow>();
  /** In the order in which they were begun; of one partition that is the order of its records. */
  #rows: OpenRow[] = [];
  #pendingCount = 0;
  #committing: Promise<void> | null = null;

  /** `turn`: until everything else that this turn of the loop does is done; a simulation has a loop of its own. */
  constructor(
    commit: CommitRecords,
    pendingMax: number,
    onDurable: (topic: Topic, partition: number) => void,
    turn: () => Promise<unknown>,
  ) {
    this.#commit = commit;
    this.#pendingMax = pendingMax;
    this.#onDurable = onDurable;
    this.#turn = turn;
  }

  append(topic: Topic, partition: number, value: Uint8Array): Promise<LogPosition> {
    if (this.#pendingCount >= this.#pendingMax) {
      return Promise.reject(new StoreUnavailable("EventLog", "too many pending operations"));
    }
    this.#pendingCount++;
    return new Promise((resolve, reject) => {
      const row = this.#rowFor(topic, partition, value.length);
      row.records.push({ value, resolve, reject });
      row.byteCount += value.length;
      this.#committing ??= this.#commitAll();
    });
  }

  /** Resolves when everything appended so far has its answer. */
  async settled(): Promise<void> {
    await this.#committing;
  }

  #rowFor(topic: Topic, partition: number, byteCount: number): OpenRow {
    const name = `${topic} ${partition}`;
    const open = this.#open.get(name);
    if (open && open.byteCount + byteCount <= ROW_BYTES_MAX) return open;
    const row: OpenRow = { topic, partition, records: [], byteCount: 0 };
    this.#open.set(name, row);
    this.#rows.push(row);
    return row;
  }

  /** One commit at a time, so that a partition's records are numbered in the order of their appends. */
  async #commitAll(): Promise<void> {
    // What else this turn of the loop appends goes along.
    await this.#turn();
    while (this.#rows.length > 0) {
      const rows = this.#rows;
      this.#rows = [];
      this.#open.clear();
      try {
        const firstOffsets = await this.#commit(rows.map(pack));
        for (const [index, row] of rows.entries()) this.#resolve(row, firstOffsets[index]!);
      } catch (error) {
        for (const { records } of rows) {
          this.#pendingCount -= records.length;
          for (const { reject } of records) reject(error);
        }
      }
      // The callers that were answered append again before the next commit.
      await this.#turn();
    }
    this.#committing = null;
  }

  #resolve({ topic, partition, records }: OpenRow, firstOffset: number): void {
    this.#pendingCount -= records.length;
    for (let index = 0; index < records.length; index++) {
      records[index]!.resolve({ partition, offset: firstOffset + index });
    }
    this.#onDurable(topic, partition);
  }
}

function pack({ topic, partition, records, byteCount }: OpenRow): PackedRecords {
  const ends = new Uint32Array(records.length);
  const bytes = new Uint8Array(byteCount);
  let end = 0;
  for (let index = 0; index < records.length; index++) {
    const { value } = records[index]!;
    bytes.set(value, end);
    ends[index] = end += value.length;
  }
  return { topic, partition, ends, bytes };
}
