import type { Database } from "bun:sqlite";
import { assert } from "../../../domain/assert.ts";
import type { PackedRecords } from "../append-queue.ts";
import type { LogBatch, Topic } from "../port.ts";

/**
 * A row holds the records that one group commit brought to a partition, packed: fixed-size records of a deadline's ten million are
 * then a sequential read of blobs, and a record costs no row of its own.
 */
const FIRST_SCHEMA = `
CREATE TABLE batches (
  topic TEXT NOT NULL,
  partition INTEGER NOT NULL,
  first_offset INTEGER NOT NULL,
  record_count INTEGER NOT NULL,
  ends BLOB NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (topic, partition, first_offset)
) STRICT;
`;

interface BatchRow {
  first_offset: number;
  record_count: number;
  ends: Uint8Array;
  bytes: Uint8Array;
}

function logWrites(db: Database) {
  const newest = db.query<{ first_offset: number; record_count: number }, [string, number]>(
    `SELECT first_offset, record_count FROM batches WHERE topic = ? AND partition = ?
     ORDER BY first_offset DESC LIMIT 1`,
  );
  const insert = db.query<null, [string, number, number, number, Uint8Array, Uint8Array]>(
    "INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?)",
  );
  function append({ topic, partition, ends, bytes }: PackedRecords): number {
    const last = newest.get(topic, partition);
    const firstOffset = last ? last.first_offset + last.record_count : 0;
    const endBytes = new Uint8Array(ends.buffer, ends.byteOffset, ends.byteLength);
    insert.run(topic, partition, firstOffset, ends.length, endBytes, bytes);
    return firstOffset;
  }
  return {
    operations: { append: (rows: readonly PackedRecords[]): number[] => rows.map(append) },
    beforeCommit: () => undefined,
    forget: () => undefined,
  };
}

export interface ReadArgument {
  readonly topic: Topic;
  readonly partition: number;
  readonly fromOffset: number;
  readonly bytesMax: number;
}

function logReads(db: Database) {
  const holding = db.query<{ first_offset: number; record_count: number }, [string, number, number]>(
    `SELECT first_offset, record_count FROM batches WHERE topic = ? AND partition = ? AND first_offset <= ?
     ORDER BY first_offset DESC LIMIT 1`,
  );
  const from = db.query<BatchRow, [string, number, number]>(
    `SELECT first_offset, record_count, ends, bytes FROM batches
     WHERE topic = ? AND partition = ? AND first_offset >= ? ORDER BY first_offset`,
  );
  return {
    read({ topic, partition, fromOffset, bytesMax }: ReadArgument): LogBatch {
      const holder = holding.get(topic, partition, fromOffset);
      const rows: BatchRow[] = [];
      let byteCount = 0;
      if (holder && fromOffset < holder.first_offset + holder.record_count) {
        for (const row of from.iterate(topic, partition, holder.first_offset)) {
          rows.push(row);
          byteCount += row.bytes.length;
          if (byteCount >= bytesMax) break;
        }
      }
      return joinFrom(rows, fromOffset);
    },
    endOffset({ topic, partition }: { topic: Topic; partition: number }): number {
      const last = holding.get(topic, partition, Number.MAX_SAFE_INTEGER);
      return last ? last.first_offset + last.record_count : 0;
    },
  };
}

/** One batch out of consecutive rows, without the records of the first row that lie before `fromOffset`. */
function joinFrom(rows: readonly BatchRow[], fromOffset: number): LogBatch {
  const parts = rows.map((row, index) => {
    // A blob's memory may lie anywhere; a Uint32Array may not.
    const ends = new Uint32Array(row.ends.slice().buffer);
    const skipped = index === 0 ? fromOffset - row.first_offset : 0;
    assert(ends.length === row.record_count, "a batch has one end a record");
    return { ends, skipped, start: skipped === 0 ? 0 : ends[skipped - 1]!, bytes: row.bytes };
  });
  const ends = new Uint32Array(parts.reduce((sum, part) => sum + part.ends.length - part.skipped, 0));
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.bytes.length - part.start, 0));
  let record = 0;
  let at = 0;
  for (const { ends: partEnds, skipped, start, bytes: partBytes } of parts) {
    bytes.set(partBytes.subarray(start), at);
    for (let index = skipped; index < partEnds.length; index++) ends[record++] = at + partEnds[index]! - start;
    at += partBytes.length - start;
  }
  return { firstOffset: fromOffset, bytes, ends };
}

export const eventLogEngine = {
  migrations: [FIRST_SCHEMA] as const,
  // Batches are blobs of many KiB; large pages keep them in few.
  pageBytes: 16_384,
  messages: "move" as const,
  writes: logWrites,
  reads: logReads,
};
