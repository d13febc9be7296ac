/** One thread of an embedded store. One module for all engines, so that a compiled binary has one more entry point. */
import type { Database } from "bun:sqlite";
import { claim, openForReading, openForWriting } from "./database.ts";
import type { Operations } from "./engine.ts";
import { type EngineName, ENGINES } from "./engines.ts";
import { allFailed, commitGroup, type GroupOutcome, type PackedOperations, readGroup } from "./group.ts";

declare const self: Worker;

export interface OpenThread {
  readonly engine: EngineName;
  readonly file: string;
  readonly role: "writer" | "reader";
}

/** First message: `OpenThread`, answered by an error text or null. Then groups, answered in order. null: close, answered by null. */
export type ThreadRequest = OpenThread | GroupMessage<PackedOperations> | null;

/** As JSON or cloned, as the engine says. */
export type GroupMessage<Content> = Content | string;

interface Opened {
  /** Typed arrays of results are moved. */
  readonly moves: boolean;
  answer(packed: PackedOperations): GroupOutcome;
  close(): void;
}

function open({ engine, file, role }: OpenThread): Opened {
  const { messages, migrations, pageBytes, writes, reads } = ENGINES[engine];
  const moves = messages === "move";
  if (role === "reader") {
    const db = openForReading(file);
    const operations: Operations = reads(db);
    return { moves, answer: (packed) => readGroup(db, operations, packed), close: () => db.close() };
  }
  const claimed = claim(file);
  let db: Database;
  try {
    db = openForWriting(file, migrations, pageBytes);
  } catch (error) {
    claimed.close();
    throw error;
  }
  const side = writes(db);
  const close = () => {
    db.close();
    claimed.close();
  };
  return { moves, answer: (packed) => commitGroup(db, side, packed), close };
}

let opened: Opened | null = null;

self.addEventListener("message", ({ data }: MessageEvent<ThreadRequest>) => {
  if (data === null) {
    opened?.close();
    self.postMessage(null);
  } else if (typeof data === "string") {
    self.postMessage(JSON.stringify(answer(JSON.parse(data) as PackedOperations)));
  } else if (!("engine" in data)) {
    const outcome = answer(data);
    self.postMessage(outcome, opened?.moves ? buffersOf(outcome.results) : []);
  } else {
    try {
      opened = open(data);
      self.postMessage(null);
    } catch (error) {
      self.postMessage(error instanceof Error ? error.message : String(error));
    }
  }
});

function answer(packed: PackedOperations): GroupOutcome {
  try {
    return opened!.answer(packed);
  } catch (error) {
    return allFailed(packed, error);
  }
}

function buffersOf(results: readonly unknown[]): ArrayBuffer[] {
  const views = results.flatMap((result) => Object.values(result ?? {}).filter(ArrayBuffer.isView));
  return views.map(({ buffer }) => buffer as ArrayBuffer);
}
