import { type Cluster, Command, type Redis } from "ioredis";
import type { ContestId } from "../../../domain/ids.ts";
import { StoreUnavailable } from "../../unavailable.ts";
import { type BoardEntries, type BoardHead, type MirroredBoards, wholeVersion } from "../boards.ts";
import { HEAD_COUNTS_BYTES } from "./board-scripts.ts";

export interface RedisBoardsOptions {
  readonly prefix: string;
  /** Of small questions; nothing that takes the server long is asked here. */
  readonly call: <T>(begin: (commands: Redis | Cluster) => Promise<T>) => Promise<T>;
  /** Of entries by the thousand, on a connection of their own: no small question stands behind them. */
  readonly bulk: <T>(begin: (commands: Redis | Cluster) => Promise<T>) => Promise<T>;
}

/** About half a millisecond of the server, during which it serves nobody else. */
const MEMBERS_A_COMMAND = 500;
/** Enough that the server never waits for us. */
const COMMANDS_UNDER_WAY = 16;
/** A set that was left half filled, when its node died, goes after so long. */
const UNFINISHED_TTL_MS = 600_000;
const MEMBER_BYTES = 8;
const TWO_32 = 2 ** 32;

/**
 * A slice's entries are one sorted set: the score is the negative of the entry's, the member its id as 8 big-endian bytes, so the order of
 * the set is the total order. All keys of a contest share a hash tag, so a step over all its slices is one script.
 */
export class RedisBoards implements MirroredBoards {
  readonly #options: RedisBoardsOptions;

  constructor(options: RedisBoardsOptions) {
    this.#options = options;
  }

  async putBoard(head: BoardHead, entries: AsyncIterable<BoardEntries>, ttlMs: number): Promise<void> {
    const { bulk, call } = this.#options;
    const heads = this.#key(head.contestId);
    const set = `${heads}:${head.slice}:${head.pointsVersion}`;
    const underWay = new Set<Promise<unknown>>();
    const failed = Promise.withResolvers<never>();
    failed.promise.catch(() => undefined);
    const send = async (command: () => Command) => {
      const sent = bulk((commands) => commands.sendCommand(command()) as Promise<unknown>);
      underWay.add(sent);
      sent.then(() => underWay.delete(sent), failed.reject);
      if (underWay.size >= COMMANDS_UNDER_WAY) await Promise.race([failed.promise, ...underWay]);
    };
    for await (const { entryIds, scoresQp } of entries) {
      for (let from = 0; from < entryIds.length; from += MEMBERS_A_COMMAND) {
        const to = Math.min(from + MEMBERS_A_COMMAND, entryIds.length);
        await send(() => new AddMembers(set, entryIds.subarray(from, to), scoresQp.subarray(from, to)));
      }
      // Once a piece: the set may have been lost and begun anew.
      await send(() => new Command("pexpire", [set, UNFINISHED_TTL_MS]));
    }
    await Promise.all(underWay);
    const { pointsVersion, slice } = head;
    const committed = await call((commands) =>
      commands.commitBoard(heads, set, slice, pointsVersion, encodeHead(head), Math.ceil(ttlMs)),
    );
    if (committed !== 1) throw new StoreUnavailable("HotStore", "it lost entries of a board while they were written");
  }

  async boardHeads(contest: ContestId): Promise<readonly BoardHead[]> {
    const fields = await this.#options.call((commands) => commands.hgetallBuffer(this.#key(contest)));
    const heads = Object.entries(fields).map(([name, bytes]) => decodeHead(contest, name, bytes));
    const whole = wholeVersion(heads);
    return heads.filter(({ pointsVersion }) => pointsVersion === whole);
  }

  async boardEntries(
    contest: ContestId,
    pointsVersion: number,
    ranges: readonly { readonly slice: number; readonly start: number; readonly end: number }[],
  ): Promise<readonly BoardEntries[] | null> {
    // The server's ranges include their end.
    const places = ranges.flatMap(({ end, slice, start }) => [slice, start, end - 1]);
    const found = await this.#options.call((commands) =>
      commands.readBoardBuffer(this.#key(contest), pointsVersion, ...places),
    );
    return found?.map(decodeEntries) ?? null;
  }

  async boardVersions(contests: readonly ContestId[]): Promise<readonly ReadonlyMap<number, number>[]> {
    return Promise.all(
      contests.map(async (contest) => {
        const newest = new Map<number, number>();
        for (const name of await this.#options.call((commands) => commands.hkeys(this.#key(contest)))) {
          const [slice, version] = numbersOf(name);
          newest.set(slice, Math.max(version, newest.get(slice) ?? 0));
        }
        return newest;
      }),
    );
  }

  #key(contest: ContestId): string {
    return `${this.#options.prefix}m:{c:${contest}}`;
  }
}

/**
 * ZADD of packed entries. Its bytes are written in one sweep, a tenth of what building it from an argument a score and a member costs: this
 * runs beside the pushes.
 */
class AddMembers extends Command {
  readonly #bytes: Buffer;

  constructor(key: string, entryIds: Float64Array, scoresQp: Int16Array) {
    super("zadd", [key]);
    this.#bytes = encodeAdd(key, entryIds, scoresQp);
  }

  override toWritable(): Buffer {
    return this.#bytes;
  }
}

function encodeAdd(key: string, entryIds: Float64Array, scoresQp: Int16Array): Buffer {
  const count = entryIds.length;
  const intro = `*${2 + 2 * count}\r\n$4\r\nZADD\r\n$${Buffer.byteLength(key)}\r\n${key}\r\n`;
  const memberIntro = `$${MEMBER_BYTES}\r\n`;
  // A score has at most six characters.
  const bytes = Buffer.allocUnsafe(Buffer.byteLength(intro) + count * (12 + memberIntro.length + MEMBER_BYTES + 2));
  let at = bytes.write(intro);
  let scoreText = "";
  let lastQp = Number.NaN;
  for (let index = 0; index < count; index++) {
    const scoreQp = scoresQp[index]!;
    if (scoreQp !== lastQp) {
      // Not -0, which would be another text.
      const score = String(0 - scoreQp);
      scoreText = `$${score.length}\r\n${score}\r\n${memberIntro}`;
      lastQp = scoreQp;
    }
    for (let letter = 0; letter < scoreText.length; letter++) bytes[at++] = scoreText.charCodeAt(letter);
    const entry = entryIds[index]!;
    bytes.writeUInt32BE(Math.floor(entry / TWO_32), at);
    bytes.writeUInt32BE(entry % TWO_32, at + 4);
    bytes[at + 8] = 13;
    bytes[at + 9] = 10;
    at += MEMBER_BYTES + 2;
  }
  return bytes.subarray(0, at);
}

function encodeHead({ compact, contestEntryCount, entryCount, heldCount }: BoardHead): Buffer {
  const bytes = Buffer.alloc(HEAD_COUNTS_BYTES + compact.length);
  for (const [index, count] of [contestEntryCount, entryCount, heldCount].entries())
    bytes.writeUInt32LE(count, index * 4);
  bytes.set(compact, HEAD_COUNTS_BYTES);
  return bytes;
}

function decodeHead(contestId: ContestId, name: string, bytes: Buffer): BoardHead {
  const [slice, pointsVersion] = numbersOf(name);
  return {
    contestId,
    slice,
    pointsVersion,
    contestEntryCount: bytes.readUInt32LE(0),
    entryCount: bytes.readUInt32LE(4),
    heldCount: bytes.readUInt32LE(8),
    compact: new Uint8Array(bytes.subarray(HEAD_COUNTS_BYTES)),
  };
}

function decodeEntries(found: readonly Buffer[]): BoardEntries {
  const count = found.length / 2;
  const entryIds = new Float64Array(count);
  const scoresQp = new Int16Array(count);
  for (let index = 0; index < count; index++) {
    const member = found[index * 2]!;
    entryIds[index] = member.readUInt32BE(0) * TWO_32 + member.readUInt32BE(4);
    scoresQp[index] = 0 - Number(found[index * 2 + 1]!.toString("latin1"));
  }
  return { entryIds, scoresQp };
}

/** Slice and version. */
function numbersOf(name: string): [number, number] {
  const [slice, version] = name.split(":");
  return [Number(slice), Number(version)];
}
