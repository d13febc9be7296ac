import { closeSync, existsSync, fsyncSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { assert } from "../../domain/assert.ts";
import type { ContestId } from "../../domain/ids.ts";
import { POOL_SIZE_MAX, type PointsVector } from "../../domain/points.ts";
import { slotBytes, usedSlotBytes } from "../kernel/slot.ts";
import { Progress } from "./generated/powerplay/board/progress.ts";
import { StandingSlot } from "./generated/powerplay/board/standing-slot.ts";
import { Standings } from "./generated/powerplay/board/standings.ts";
import { alignUp, byteBuffer, segmentHead } from "./segment.ts";
import { type BoardIdentity, FORMAT_VERSION, STANDINGS_FILE, writeFully, writeZeros } from "./shared-memory.ts";
import { Standing } from "./standing.ts";

const POINTS_BYTES = POOL_SIZE_MAX * 2;
const GENERATION_STATE_BYTES = 16;

interface SizedContest {
  readonly contestId: ContestId;
  readonly entryCount: number;
}

/** What one pass published. */
export interface Generation {
  readonly pointsVersion: number;
  readonly timeMs: number;
  readonly points: PointsVector;
}

/** A standing, and what it was computed from. */
export interface StandingAt extends Generation {
  readonly standing: Standing;
}

/** Offsets of the slots within a generation, and its size. */
function layOutSlots(contests: readonly SizedContest[]): { offsets: number[]; generationBytes: number } {
  let at = POINTS_BYTES;
  const offsets = contests.map((contest) => {
    const offset = at;
    at += slotBytes(contest.entryCount);
    return offset;
  });
  return { offsets, generationBytes: alignUp(at) };
}

export const standingsBytes = (contests: readonly SizedContest[]): number =>
  4096 + contests.length * StandingSlot.sizeOf() + 2 * layOutSlots(contests).generationBytes;

/**
 * Writes an empty standings file: nothing published yet. All its memory is taken here, so no pass can fail for want of it.
 */
export function createStandings(
  directory: string,
  identity: BoardIdentity,
  boardId: bigint,
  contests: readonly SizedContest[],
): void {
  const { offsets, generationBytes } = layOutSlots(contests);
  const head = segmentHead(2 * generationBytes, (builder, arena) => {
    const boot = builder.createString(bootId());
    Standings.startSlotsVector(builder, contests.length);
    for (let index = contests.length - 1; index >= 0; index--) {
      const { contestId, entryCount } = contests[index]!;
      StandingSlot.createStandingSlot(builder, contestId, entryCount, BigInt(offsets[index]!));
    }
    const slots = builder.endVector();
    Standings.startStandings(builder);
    Standings.addFormatVersion(builder, FORMAT_VERSION);
    Standings.addBoardId(builder, boardId);
    Standings.addMatchId(builder, identity.matchId);
    Standings.addSlice(builder, identity.slice);
    Standings.addSliceCount(builder, identity.sliceCount);
    Standings.addBootId(builder, boot);
    Standings.addSlots(builder, slots);
    Standings.addGenerationBytes(builder, BigInt(generationBytes));
    // A struct is stored inline, so it is built between the fields.
    Standings.addProgress(builder, Progress.createProgress(builder, 0, 0, 0, 0, 0, 0));
    Standings.addArena(builder, arena);
    return Standings.endStandings(builder);
  });
  const file = openSync(join(directory, STANDINGS_FILE), "w");
  try {
    writeFully(file, head, 0);
    writeZeros(file, 2 * generationBytes, head.length);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/**
 * The mutable file of a board, mapped. One writer, any number of readers in any process. A pass fills the half that is not
 * published, so a reader never waits for the writer: it has the length of a whole pass to copy a standing, and repeats in
 * the rare case that it took longer.
 */
export class StandingsFile {
  readonly boardId: bigint;
  readonly #bytes: Uint8Array;
  readonly #sequence: Uint32Array;
  readonly #states: Float64Array;
  readonly #arenaAt: number;
  readonly generationBytes: number;
  readonly #slots = new Map<ContestId, { offset: number; entryCount: number }>();

  static open(directory: string): { ok: true; file: StandingsFile } | { ok: false; reason: string } {
    const path = join(directory, STANDINGS_FILE);
    if (!existsSync(path)) return { ok: false, reason: `${path} is not there` };
    const bytes = Bun.mmap(path);
    if (bytes.length < 64) return { ok: false, reason: `${path} is cut short` };
    const root = Standings.getRootAsStandings(byteBuffer(bytes));
    if (root.formatVersion() !== FORMAT_VERSION) {
      return { ok: false, reason: `${path} has format version ${root.formatVersion()}, not ${FORMAT_VERSION}` };
    }
    if (root.bootId() !== bootId()) return { ok: false, reason: `${path} is from before the machine restarted` };
    const arena = root.arenaArray();
    if (arena === null || arena.byteOffset + arena.length > bytes.byteOffset + bytes.length) {
      return { ok: false, reason: `${path} is cut short` };
    }
    return { ok: true, file: new StandingsFile(bytes, root, arena) };
  }

  private constructor(bytes: Uint8Array, root: Standings, arena: Uint8Array) {
    this.#bytes = bytes;
    this.boardId = root.boardId();
    this.generationBytes = Number(root.generationBytes());
    this.#arenaAt = arena.byteOffset;
    const progress = root.progress()!;
    this.#sequence = new Uint32Array(bytes.buffer, bytes.byteOffset + progress.bb_pos, 1);
    const statesAt = bytes.byteOffset + progress.even()!.bb_pos;
    this.#states = new Float64Array(bytes.buffer, statesAt, (2 * GENERATION_STATE_BYTES) / 8);
    const slot = new StandingSlot();
    for (let index = 0; index < root.slotsLength(); index++) {
      root.slots(index, slot);
      const contestId = slot.contestId() as ContestId;
      this.#slots.set(contestId, { offset: Number(slot.offset()), entryCount: slot.entryCount() });
    }
  }

  get contestCount(): number {
    return this.#slots.size;
  }

  slotOf(contestId: ContestId): { readonly offset: number; readonly entryCount: number } | undefined {
    return this.#slots.get(contestId);
  }

  /** What is published, or undefined before the first pass. */
  generation(): Generation | undefined {
    return this.#read((half) => this.#generationOf(half));
  }

  /** The standing of a contest in what is published; undefined before the first pass or for an unknown contest. */
  standing(contestId: ContestId): StandingAt | undefined {
    const slot = this.#slots.get(contestId);
    if (slot === undefined) return undefined;
    return this.#read((half) => {
      const start = half * this.generationBytes + slot.offset;
      const bytes = this.#arena(start, slotBytes(slot.entryCount));
      return { ...this.#generationOf(half), standing: new Standing(copyUsed(bytes)) };
    });
  }

  /** The half that a pass may fill now. Readers still see the one before. */
  beginPass(): { readonly arena: Uint8Array; readonly half: number } {
    // Odd already: the writer before us died in its pass; that half was never published and is simply filled again.
    const sequence = Atomics.load(this.#sequence, 0);
    if (sequence % 2 === 0) Atomics.store(this.#sequence, 0, sequence + 1);
    orderMemory();
    const half = ((Math.floor(sequence / 2) + 1) % 2) as 0 | 1;
    return { arena: this.#arena(half * this.generationBytes, this.generationBytes), half };
  }

  publishPass({ pointsVersion, timeMs, points }: Generation): void {
    const sequence = Atomics.load(this.#sequence, 0);
    assert(sequence % 2 === 1, "a pass begins before it is published");
    const half = ((sequence + 1) / 2) % 2;
    this.#states[half * 2] = pointsVersion;
    this.#states[half * 2 + 1] = timeMs;
    this.#pointsOf(half).set(points);
    Atomics.store(this.#sequence, 0, sequence + 1);
  }

  #read<Result>(take: (half: number) => Result): Result | undefined {
    for (;;) {
      const generation = Atomics.load(this.#sequence, 0) >>> 1;
      if (generation === 0) return undefined;
      let result: Result | undefined;
      let torn: unknown;
      try {
        result = take(generation % 2);
      } catch (error) {
        torn = error;
      }
      orderMemory();
      // 2g + 2 publishes the other half; from 2g + 3 on this half is being filled again.
      if (Atomics.load(this.#sequence, 0) <= generation * 2 + 2) {
        if (torn !== undefined) throw torn;
        return result;
      }
    }
  }

  #generationOf(half: number): Generation {
    return {
      pointsVersion: this.#states[half * 2]!,
      timeMs: this.#states[half * 2 + 1]!,
      points: this.#pointsOf(half).slice(),
    };
  }

  #pointsOf(half: number): Int16Array {
    return new Int16Array(this.#bytes.buffer, this.#arenaAt + half * this.generationBytes, POOL_SIZE_MAX);
  }

  #arena(start: number, length: number): Uint8Array {
    return new Uint8Array(this.#bytes.buffer, this.#arenaAt + start, length);
  }
}

const ownWord = new Int32Array(1);

/**
 * What stands before it is done before what stands behind it, on every processor. Atomics alone do not give that where memory
 * is weakly ordered, as on arm64: plain writes may overtake an atomic store before them, plain reads fall behind an atomic
 * load after them. An atomic write and then an atomic read, of any word, may not be exchanged with each other or with these.
 */
function orderMemory(): void {
  Atomics.add(ownWord, 0, 1);
  Atomics.load(ownWord, 0);
}

/** A wide slot mostly holds a narrow window; only that is copied. */
function copyUsed(slot: Uint8Array): Uint8Array {
  const used = usedSlotBytes(slot);
  return slot.slice(0, Math.min(used, slot.length));
}

let bootIdRead: string | undefined;

/** Names this boot of the machine; where the system has none, every process counts as one. */
export function bootId(): string {
  if (bootIdRead !== undefined) return bootIdRead;
  try {
    bootIdRead = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    bootIdRead = `process-${process.pid}-${performance.timeOrigin}`;
  }
  return bootIdRead;
}
