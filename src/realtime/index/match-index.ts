import type { EventLog, LogBatch, Topic } from "../../stores/event-log/port.ts";
import type { BoardIdentity } from "../board/shared-memory.ts";
import { WorkerCalls } from "../../worker-calls.ts";
import { workerModule } from "../../worker-module.ts";
import type { IndexAnswers, IndexRequest, SealReport } from "./index-protocol.ts";
import type { IndexedMatch } from "./port.ts";

export interface MatchIndexDeps {
  readonly log: EventLog;
  /** Where boards live. */
  readonly directory: string;
  readonly libraryPath?: string;
  /** false: the match may be locked by now, so what is read from here on may count no more. */
  readonly isOpen: () => boolean;
  /** false: what the log has lost by age was older than the match. */
  readonly mayHaveAged: () => boolean;
}

/** The log no longer has all that the match's boards are made of. */
export class BeyondLog extends Error {
  override name = "BeyondLog";
}

/**
 * A batch crosses the node's main thread, where it is copied: a megabyte is a tenth of a millisecond, so the event loop
 * does not notice the gigabyte that a final's log has.
 */
const BATCH_BYTES = 1 << 20;
const BATCHES_AHEAD = 3;

const INDEXED_TOPICS = ["team-saves", "contest-joins"] as const satisfies readonly Topic[];
type IndexedTopic = (typeof INDEXED_TOPICS)[number];

const startWorker = () =>
  new WorkerCalls<IndexRequest, IndexAnswers>(workerModule("realtime/index/index-worker.ts"), "the index worker");

/**
 * The near end of an index worker. `advance` feeds it what the log has since the last time, so joins and saves are indexed
 * while they arrive and the deadline finds only the rest to be read.
 */
export class MatchIndex {
  readonly #deps: MatchIndexDeps;
  readonly #worker = startWorker();
  readonly #opened: Promise<unknown>;
  /** Next to be read, by partition. */
  readonly #offsets: ReadonlyMap<IndexedTopic, Map<number, number>>;
  #advancing: Promise<void> = Promise.resolve();

  /** `partitions`: of both topics, those whose users are indexed. */
  constructor(deps: MatchIndexDeps, match: IndexedMatch, partitions: readonly number[]) {
    this.#deps = deps;
    this.#offsets = new Map(INDEXED_TOPICS.map((topic) => [topic, new Map(partitions.map((each) => [each, 0]))]));
    this.#opened = this.#worker.ask({ kind: "open", match, libraryPath: deps.libraryPath });
    // Whoever advances hears of it.
    this.#opened.catch(() => undefined);
  }

  /** Indexes everything that the log holds now, unless the match may be locked. A failed index is closed, and another one begins from the log's start. */
  advance(saveEnds: readonly number[] | null = null): Promise<void> {
    this.#advancing = this.#advancing.then(() => this.#advance(saveEnds));
    return this.#advancing;
  }

  /**
   * Indexes what is left, saves up to where they end by partition (stream/save-fence.ts), and writes the sealed board. Once;
   * rejects when shared memory does not suffice.
   */
  async seal(identity: BoardIdentity, saveEnds: readonly number[]): Promise<SealReport> {
    await this.advance(saveEnds);
    const logPosition = JSON.stringify(
      Object.fromEntries(Array.from(this.#offsets, ([topic, offsets]) => [topic, Object.fromEntries(offsets)])),
    );
    return this.#worker.ask({ kind: "seal", directory: this.#deps.directory, identity, logPosition });
  }

  close(): void {
    this.#worker.stop();
  }

  async #advance(saveEnds: readonly number[] | null): Promise<void> {
    await this.#opened;
    for (const topic of INDEXED_TOPICS) {
      const ends = topic === "team-saves" ? saveEnds : null;
      for (const partition of this.#offsets.get(topic)!.keys()) {
        const durable = await this.#deps.log.endOffset(topic, partition);
        // Asked after the end was read: what it leaves out was not durable while the match was surely open.
        if (saveEnds === null && !this.#deps.isOpen()) return;
        await this.#advancePartition(topic, partition, Math.min(durable, ends?.[partition] ?? durable));
      }
    }
  }

  async #advancePartition(topic: IndexedTopic, partition: number, end: number): Promise<void> {
    const { log } = this.#deps;
    const offsets = this.#offsets.get(topic)!;
    const kind = topic === "team-saves" ? "teamSaves" : "contestJoins";
    // Some batches are with the worker while the next is read, so that neither thread waits for the other.
    const indexing: Promise<unknown>[] = [];
    while (offsets.get(partition)! < end) {
      const read = await log.read(topic, partition, offsets.get(partition)!, BATCH_BYTES, 0);
      if (read.firstOffset > offsets.get(partition)! && this.#deps.mayHaveAged()) {
        throw new BeyondLog(`${topic} ${partition} begins at ${read.firstOffset}: what is older is gone`);
      }
      const batch = upTo(end, read);
      if (indexing.length === BATCHES_AHEAD) await indexing.shift();
      offsets.set(partition, batch.firstOffset + batch.ends.length);
      const indexed = this.#worker.ask({ kind, records: batch.bytes }, [batch.bytes.buffer as ArrayBuffer]);
      // Heard of below; a read that fails first is the one that is told.
      indexed.catch(() => undefined);
      indexing.push(indexed);
    }
    await Promise.all(indexing);
  }
}

/** The records of a batch before an offset; none where older records are gone and the log goes on behind it. */
function upTo(end: number, batch: LogBatch): LogBatch {
  const count = Math.max(0, Math.min(batch.ends.length, end - batch.firstOffset));
  if (count === batch.ends.length) return batch;
  const byteCount = count === 0 ? 0 : batch.ends[count - 1]!;
  return { ...batch, ends: batch.ends.subarray(0, count), bytes: batch.bytes.subarray(0, byteCount) };
}

/** Computes and writes the commitment of a sealed board, in a thread of its own. */
export async function commitBoard(directory: string, identity: BoardIdentity): Promise<void> {
  const worker = startWorker();
  try {
    await worker.ask({ kind: "commit", directory, identity });
  } finally {
    worker.stop();
  }
}
