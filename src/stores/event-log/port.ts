/**
 * The log between the planes.
 *
 * Law:
 * - `append` resolves after the record is durable; a rejected append may or may not have happened, so whatever reads the
 *   log tolerates duplicates. So it must of acknowledged records: while some appends are rejected, those beside them may be sent
 *   again, in their order, and then stand in the log a second time.
 * - Records of one key are read in the order in which their appends were called from one node.
 * - Offsets of a partition rise by one from 0; a batch never has a gap. An offset, once read, always names the same bytes.
 * - Old records may be gone (Kafka keeps them for days). A batch that was asked from before the oldest begins with the oldest, or
 *   where the next one will be: readers go on from where a batch ends, never from where they asked plus its count.
 * - The log keeps no consumer positions: a consumer stores its position in the same commit as the state it derives, so
 *   that each record takes effect once.
 * - The members of a group share the partitions of a topic: each partition has one owner, within seconds also after a member
 *   died. For moments a partition may be nobody's, or that of a member which is cut off and of its successor: what an owner
 *   does must be harmless when it is done twice.
 */
export const TOPICS = {
  /** Key: user id. Value: `TeamSave` record. */
  "team-saves": { partitionCount: 8 },
  /** Key: user id, so that entries meet their rosters in one partition. Value: `ContestJoin` record. */
  "contest-joins": { partitionCount: 8 },
  /** Key: match id. Value: JSON feed event with its receipt time. */
  "score-events": { partitionCount: 4 },
  /** Key: match id. Value: JSON points update: absolute vector, changes, reasons, input position. */
  "player-points": { partitionCount: 4 },
  /** Key: user or match id. Value: JSON notification. */
  notifications: { partitionCount: 4 },
  /** Key: slice. Value: JSON note of who has the slice from now on and where other nodes reach it (cluster/slice-owners.ts). */
  "slice-owners": { partitionCount: 1 },
} as const satisfies Readonly<Record<string, { readonly partitionCount: number }>>;

export type Topic = keyof typeof TOPICS;

/** The same on every engine and node, so a key's partition is known without asking the log. `key` is a safe integer >= 0. */
export const partitionOf = (topic: Topic, key: number): number => key % TOPICS[topic].partitionCount;

export interface LogPosition {
  readonly partition: number;
  readonly offset: number;
}

/**
 * Records packed into one buffer: record i is `bytes[ends[i-1] ?? 0, ends[i])`. Packed so that a reader of fixed-size
 * records can take 12 M of them without 12 M small objects. Both arrays have buffers of their own, which are the reader's.
 */
export interface LogBatch {
  /** What was asked for, or later where older records are gone. */
  readonly firstOffset: number;
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
}

export interface EventLog {
  /** `value` must not be changed until the promise settles. Rejects with `StoreUnavailable` when it can't be made durable. */
  append(topic: Topic, key: number, value: Uint8Array): Promise<LogPosition>;
  /**
   * The records from `fromOffset` on, as far as about `bytesMax` (at least one record if there is one). With none yet,
   * waits up to `waitMs` for the first and then answers with an empty batch.
   */
  read(topic: Topic, partition: number, fromOffset: number, bytesMax: number, waitMs: number): Promise<LogBatch>;
  /** One past the newest durable offset. */
  endOffset(topic: Topic, partition: number): Promise<number>;
  /**
   * Joins a group, once per log and group. `onOwned` hears which partitions are this member's from now on, ascending, first
   * within seconds after the promise resolved and then at every change; a log that only this process has gives it all of them.
   * Answers the way out, which gives the partitions to the others at once.
   */
  share(topic: Topic, group: string, onOwned: (partitions: readonly number[]) => void): Promise<() => Promise<void>>;
  /** Settles pending appends first. */
  close(): Promise<void>;
}

/** All partitions of a topic, ascending. */
export const partitionsOf = (topic: Topic): number[] =>
  Array.from({ length: TOPICS[topic].partitionCount }, (_, partition) => partition);

/** `share` of a log that only this process has. */
export function ownAll(topic: Topic, onOwned: (partitions: readonly number[]) => void): () => Promise<void> {
  onOwned(partitionsOf(topic));
  return async () => undefined;
}

/** Calls `visit` with each record and its offset; the slices share the batch's memory. */
export function forEachRecord(batch: LogBatch, visit: (value: Uint8Array, offset: number) => void): void {
  let start = 0;
  for (let index = 0; index < batch.ends.length; index++) {
    const end = batch.ends[index]!;
    visit(batch.bytes.subarray(start, end), batch.firstOffset + index);
    start = end;
  }
}
