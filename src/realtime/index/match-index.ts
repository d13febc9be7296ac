import { type EventLog, type LogBatch, type Topic, TOPICS } from "../../stores/event-log/port.ts";
import type { BoardIdentity } from "../board/shared-memory.ts";
import type { FromIndexWorker, IndexAnswers, IndexRequest, SealReport, ToIndexWorker } from "./index-protocol.ts";
import type { IndexedMatch } from "./port.ts";

export interface MatchIndexDeps {
  readonly log: EventLog;
  /** Where boards live. */
  readonly directory: string;
  readonly libraryPath?: string;
}

/**
 * A batch crosses the node's main thread, where it is copied: a megabyte is a tenth of a millisecond, so the event loop
 * does not notice the gigabyte that a final's log has.
 */
const BATCH_BYTES = 1 << 20;

const INDEXED_TOPICS = ["team-saves", "contest-joins"] as const satisfies readonly Topic[];
type IndexedTopic = (typeof INDEXED_TOPICS)[number];

/**
 * The near end of an index worker. `advance` feeds it what the log has since the last time, so joins and saves are indexed
 * while they arrive and the deadline finds only the rest to be read.
 */
export class MatchIndex {
  readonly #deps: MatchIndexDeps;
  readonly #worker = new Worker(new URL("index-worker.ts", import.meta.url).href);
  readonly #pending = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #opened: Promise<unknown>;
  readonly #offsets = new Map(
    INDEXED_TOPICS.map((topic) => [topic, Array.from({ length: TOPICS[topic].partitionCount }, () => 0)]),
  );
  #advancing: Promise<void> = Promise.resolve();
  #lastId = 0;
  #failure: Error | null = null;

  constructor(deps: MatchIndexDeps, match: IndexedMatch) {
    this.#deps = deps;
    this.#worker.addEventListener("message", ({ data }: MessageEvent<FromIndexWorker>) => this.#receive(data));
    this.#worker.addEventListener("error", ({ message }) => this.#fail(new Error(`the index worker died: ${message}`)));
    this.#opened = this.#ask({ kind: "open", match, libraryPath: deps.libraryPath });
    // Whoever advances hears of it.
    this.#opened.catch(() => undefined);
  }

  /** Indexes everything that the log holds now. A failed index is closed, and another one begins from the log's start. */
  advance(): Promise<void> {
    this.#advancing = this.#advancing.then(() => this.#advance());
    return this.#advancing;
  }

  /** Indexes what is left and writes the sealed board. Once; rejects when shared memory does not suffice. */
  async seal(identity: BoardIdentity): Promise<SealReport> {
    await this.advance();
    const logPosition = JSON.stringify(Object.fromEntries(this.#offsets));
    return this.#ask({ kind: "seal", directory: this.#deps.directory, identity, logPosition });
  }

  close(): void {
    this.#fail(new Error("the index was closed"));
    this.#worker.terminate();
  }

  async #advance(): Promise<void> {
    await this.#opened;
    for (const topic of INDEXED_TOPICS) {
      for (const partition of this.#offsets.get(topic)!.keys()) await this.#advancePartition(topic, partition);
    }
  }

  async #advancePartition(topic: IndexedTopic, partition: number): Promise<void> {
    const { log } = this.#deps;
    const offsets = this.#offsets.get(topic)!;
    const kind = topic === "team-saves" ? "teamSaves" : "contestJoins";
    const end = await log.endOffset(topic, partition);
    // One batch is indexed while the next is read.
    let indexing: Promise<unknown> = Promise.resolve();
    while (offsets[partition]! < end) {
      const batch: LogBatch = await log.read(topic, partition, offsets[partition]!, BATCH_BYTES, 0);
      await indexing;
      offsets[partition] = batch.firstOffset + batch.ends.length;
      indexing = this.#ask({ kind, records: batch.bytes }, [batch.bytes.buffer as ArrayBuffer]);
      // Heard of at the next await; a read that fails first is the one that is told.
      indexing.catch(() => undefined);
    }
    await indexing;
  }

  #ask<Kind extends keyof IndexAnswers>(
    request: IndexRequest & { kind: Kind },
    moved: ArrayBuffer[] = [],
  ): Promise<IndexAnswers[Kind]> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const asked = Promise.withResolvers<unknown>();
    const id = ++this.#lastId;
    this.#pending.set(id, asked);
    this.#worker.postMessage({ id, request } satisfies ToIndexWorker, moved);
    return asked.promise as Promise<IndexAnswers[Kind]>;
  }

  #receive(message: FromIndexWorker): void {
    const asked = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (message.ok) asked?.resolve(message.answer);
    else asked?.reject(new Error(message.message));
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const asked of this.#pending.values()) asked.reject(error);
    this.#pending.clear();
  }
}

/** Computes and writes the commitment of a sealed board, in a thread of its own. */
export async function commitBoard(directory: string, identity: BoardIdentity): Promise<void> {
  const worker = new Worker(new URL("index-worker.ts", import.meta.url).href);
  try {
    await new Promise<void>((resolve, reject) => {
      worker.addEventListener("message", ({ data }: MessageEvent<FromIndexWorker>) =>
        data.ok ? resolve() : reject(new Error(data.message)),
      );
      worker.addEventListener("error", ({ message }) => reject(new Error(`the commitment failed: ${message}`)));
      worker.postMessage({ id: 1, request: { kind: "commit", directory, identity } } satisfies ToIndexWorker);
    });
  } finally {
    worker.terminate();
  }
}
