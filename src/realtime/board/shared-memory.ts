import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, rmSync, statfsSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { MatchId } from "../../domain/ids.ts";

/** Which entries a board holds: those of one match, or those of one of its slices (0-based). */
export interface BoardIdentity {
  readonly matchId: MatchId;
  readonly slice: number;
  readonly sliceCount: number;
}

/** Raised with every change of the layout; a board of another version is rebuilt from the log. */
export const FORMAT_VERSION = 2;

export const boardName = ({ matchId, slice, sliceCount }: BoardIdentity): string =>
  `match-${matchId}.slice-${slice}-of-${sliceCount}`;

/** The boards that are there, complete, in service or not. */
export function boardsIn(directory: string): BoardIdentity[] {
  return readdirSync(directory).flatMap((name) => {
    const [matchId, slice, sliceCount] = (/^match-(\d+)\.slice-(\d+)-of-(\d+)$/.exec(name) ?? []).slice(1).map(Number);
    return sliceCount === undefined ? [] : [{ matchId: matchId as MatchId, slice: slice!, sliceCount }];
  });
}

/** A board is a directory that appears, complete, by one rename. Until then it has this ending, and no reader looks there. */
export const BUILDING_SUFFIX = ".building";

export const rostersFile = (segment: number): string => `rosters-${segment}.fb`;
export const STANDINGS_FILE = "standings.fb";
export const TEAMS_FILE = "teams.fb";
export const COMMITMENT_FILE = "commitment.fb";

export class NotEnoughMemoryError extends Error {
  override name = "NotEnoughMemoryError";
}

const mib = (bytes: number): number => Math.ceil(bytes / 2 ** 20);

export function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}

/**
 * Refuses before the first byte is written: a full shared memory would otherwise show as a bus error in the middle of a match.
 * What is written afterwards is written with write(2), so a race with another writer is an error too, never a signal.
 */
export function assertRoom(directory: string, bytes: number): void {
  mkdirSync(directory, { recursive: true });
  const free = freeBytes(directory);
  if (bytes <= free) return;
  throw new NotEnoughMemoryError(
    `the board needs ${mib(bytes)} MiB in ${directory}, which has ${mib(free)} MiB free; ` +
      "give it more (mount -o remount,size=…), or set another board directory",
  );
}

/** Writes all of `bytes`; a short write goes on where it stopped. */
export function writeFully(file: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length;) {
    // One write call takes at most 2 GiB - 4 KiB.
    const part = bytes.subarray(done, done + 2 ** 30);
    done += writeSync(file, part, 0, part.length, position + done);
  }
}

/** Takes the memory of a whole file now, as zeros. */
export function writeZeros(file: number, bytes: number, position: number): void {
  const zeros = new Uint8Array(Math.min(bytes, 4 * 2 ** 20));
  for (let done = 0; done < bytes; done += zeros.length) {
    writeFully(file, zeros.subarray(0, Math.min(zeros.length, bytes - done)), position + done);
  }
}

/** A rename is durable once its directory is; free on tmpfs, needed on a disk. */
export function syncDirectory(directory: string): void {
  const handle = openSync(directory, "r");
  fsyncSync(handle);
  closeSync(handle);
}

/** What crashed writers left; the caller knows that none is at work. */
export function removeUnfinished(directory: string): string[] {
  mkdirSync(directory, { recursive: true });
  const names = readdirSync(directory).filter((name) => name.endsWith(BUILDING_SUFFIX));
  for (const name of names) rmSync(join(directory, name), { recursive: true, force: true });
  return names;
}
