import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { RedisClient } from "bun";
import { assert } from "../../src/domain/assert.ts";
import { captainQp, viceCaptainQp } from "../../src/domain/points.ts";
import { seededRandom } from "../../src/domain/random.ts";
import { ROSTER_SIZE, scoreRoster } from "../../src/domain/roster.ts";
import { rosterAt, TILE_BYTES, TILE_ENTRIES } from "../../src/realtime/kernel/tiles.ts";
import { typescriptKernel } from "../../src/realtime/kernel/typescript.ts";
import type { Bench, BenchBoard } from "./bench.ts";
import { IDENTITY } from "./entries.ts";
import { timed, type Times } from "./timing.ts";

export interface RedisResult {
  readonly version: string;
  readonly members: number;
  readonly loadMs: number;
  readonly memoryMb: number;
  readonly six: {
    readonly increments: number;
    /** In the order in which the members were added: neighbours in time are neighbours in memory, the best case for Redis. */
    readonly inIdOrder: SixInRedis;
    /** In the order in which a fan-out over users delivers them: none. */
    readonly shuffled: SixInRedis;
    /** The same ball here: every entry re-scored and ranked. */
    readonly board: Times;
  };
  readonly ownRank: { readonly oneByOne: Times; readonly pipelinedEach: Times };
  readonly top100: Times;
}

export interface SixInRedis {
  readonly redisMs: number;
  readonly incrementsPerSecond: number;
  /** How many times as long as the board takes. */
  readonly ratio: number;
}

const KEY = "b";
const PAIRS_A_COMMAND = 200;
const FLUSH_BYTES = 1 << 20;
const QUERIES = 1_000;
const PASSES = 31;

export const redisServer = (): string | null => Bun.which("redis-server");

/**
 * (d) The same board in a real Redis: a sorted set of all entries, on the same machine, through a unix socket. Updates are sent
 * as fast as the socket takes them, without a reply each, which is the fastest way for Redis; it has a core to itself.
 */
export async function redisScenario({ directory, match }: Bench, mega: BenchBoard): Promise<RedisResult> {
  const server = redisServer();
  assert(server !== null, "redis-server is installed");
  const socketPath = join(directory, "redis.sock");
  const settings = { port: "0", unixsocket: socketPath, save: "", appendonly: "no", loglevel: "warning" };
  const child = Bun.spawn([server, ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])], {
    stdout: "ignore",
    stderr: "inherit",
  });
  try {
    const client = await clientOf(socketPath);
    const pipe = await Pipe.open(socketPath);
    const result = await measure(client, pipe, match.six, mega);
    pipe.close();
    client.close();
    return result;
  } finally {
    child.kill();
    await child.exited;
  }
}

async function measure(
  client: RedisClient,
  pipe: Pipe,
  { batter, before, after }: Bench["match"]["six"],
  mega: BenchBoard,
): Promise<RedisResult> {
  const { entryCount, entryIds, tiles } = mega.columns(mega.largest);
  const version = /redis_version:(\S+)/.exec(String(await client.send("INFO", ["server"])))?.[1] ?? "";

  // First, so that nothing of what follows (the collector above all) takes its cores. The six and the ball before it, again
  // and again, ending with the six: a pass costs the same, whatever has changed.
  const board = await timed(PASSES, (index) => mega.rescore(index % 2 === 0 ? after : before));

  const scores = new Int16Array(entryCount);
  typescriptKernel.score(before, tiles, entryCount, scores);
  const load = await timed(1, () =>
    pipe.sendAll(function* () {
      for (let first = 0; first < entryCount; first += PAIRS_A_COMMAND) {
        const words = ["ZADD", KEY];
        const end = Math.min(entryCount, first + PAIRS_A_COMMAND);
        for (let at = first; at < end; at++) words.push(String(scores[at]), String(entryIds[at]));
        yield command(words);
      }
    }),
  );
  assert((await client.send("ZCARD", [KEY])) === entryCount, "every entry is a member");
  const memoryMb = Number(/used_memory:(\d+)/.exec(String(await client.send("INFO", ["memory"])))?.[1]) / 1e6;

  const holders = holdersOf(tiles, entryCount, batter);
  const deltaQp = after[batter]! - before[batter]!;
  const bySlot = [captainQp(deltaQp), viceCaptainQp(deltaQp), ...Array.from({ length: 9 }, () => deltaQp)];
  const increment = (sign: number) =>
    timed(1, () =>
      pipe.sendAll(function* () {
        for (const at of holders) {
          yield command(["ZINCRBY", KEY, String(sign * bySlot[slotOf(tiles, at, batter)]!), String(entryIds[at])]);
        }
      }),
    );
  const inIdOrder = await increment(1);
  await checkSame(client, mega);
  // The six is taken back: as many increments, and the board as it was.
  shuffle(holders);
  const shuffled = await increment(-1);
  await mega.rescore(before);
  await checkSame(client, mega);

  const asked = askedEntries(entryCount).map((at) => String(entryIds[at]));
  const ownRank = await timed(QUERIES, (index) => client.send("ZREVRANK", [KEY, asked[index]!]));
  const pipelined = await timed(9, () => Promise.all(asked.map((id) => client.send("ZREVRANK", [KEY, id]))));
  const top100 = await timed(200, () => client.send("ZREVRANGE", [KEY, "0", "99"]));

  return {
    version,
    members: entryCount,
    loadMs: load.medianMs,
    memoryMb,
    six: {
      increments: holders.length,
      inIdOrder: sixIn(inIdOrder, holders.length, board),
      shuffled: sixIn(shuffled, holders.length, board),
      board,
    },
    ownRank: { oneByOne: ownRank, pipelinedEach: perQuery(pipelined) },
    top100,
  };
}

const sixIn = ({ medianMs }: Times, increments: number, board: Times): SixInRedis => ({
  redisMs: medianMs,
  incrementsPerSecond: (increments / medianMs) * 1_000,
  ratio: medianMs / board.medianMs,
});

const askedEntries = (entryCount: number): number[] =>
  Array.from({ length: QUERIES }, (_, index) => Math.floor(((index + 0.5) / QUERIES) * entryCount));

/** Both know the same ranks of a thousand entries, and the same hundred best scores. */
async function checkSame(client: RedisClient, mega: BenchBoard): Promise<void> {
  const { standing, points } = mega.engine.standing(IDENTITY, mega.largest)!;
  const { entryCount, entryIds, tiles } = mega.columns(mega.largest);
  for (const at of askedEntries(entryCount)) {
    const place = Number(await client.send("ZREVRANK", [KEY, String(entryIds[at])]));
    const scoreQp = scoreRoster(rosterAt(tiles, at), points);
    const rank = standing.rank(scoreQp);
    // Redis gives tied members places of their own: theirs are those from the shared rank on.
    assert(
      place + 1 >= rank && place + 1 < rank + standing.countAt(scoreQp),
      `Redis ranks entry ${entryIds[at]} ${place + 1}, the board ${rank}`,
    );
  }
  const best = (await client.send("ZREVRANGE", [KEY, "0", "99", "WITHSCORES"])) as unknown[];
  const bestQp = best.flat().filter((_, index) => index % 2 === 1);
  const boardQp = standing.top().map(({ scoreQp }) => scoreQp);
  assert(bestQp.map(Number).join() === boardQp.join(), "both list the same hundred scores");
}

/** The positions of all entries that hold a player. */
function holdersOf(tiles: Uint8Array, entryCount: number, player: number): Uint32Array {
  const holders = new Uint32Array(entryCount);
  let count = 0;
  for (let at = 0; at < entryCount; at++) {
    if (slotOf(tiles, at, player) >= 0) holders[count++] = at;
  }
  return holders.slice(0, count);
}

function shuffle(positions: Uint32Array): void {
  const random = seededRandom(1);
  for (let last = positions.length - 1; last > 0; last--) {
    const other = random.int(last + 1);
    const kept = positions[last]!;
    positions[last] = positions[other]!;
    positions[other] = kept;
  }
}

const perQuery = ({ count, ...times }: Times): Times => ({
  medianMs: times.medianMs / QUERIES,
  p99Ms: times.p99Ms / QUERIES,
  minMs: times.minMs / QUERIES,
  maxMs: times.maxMs / QUERIES,
  count,
});

function slotOf(tiles: Uint8Array, position: number, player: number): number {
  const first = Math.floor(position / TILE_ENTRIES) * TILE_BYTES + (position % TILE_ENTRIES);
  for (let slot = 0; slot < ROSTER_SIZE; slot++) {
    if (tiles[first + slot * TILE_ENTRIES] === player) return slot;
  }
  return -1;
}

/** In Redis' protocol; every word here is ASCII, so characters are bytes. */
function command(words: readonly string[]): string {
  let text = `*${words.length}\r\n`;
  for (const word of words) text += `$${word.length}\r\n${word}\r\n`;
  return text;
}

async function clientOf(socketPath: string): Promise<RedisClient> {
  for (let attempt = 0; ; attempt++) {
    const client = new RedisClient(`redis+unix://${socketPath}`, { autoReconnect: false });
    try {
      await client.connect();
      return client;
    } catch (error) {
      client.close();
      if (attempt === 200) throw error;
      await Bun.sleep(25);
    }
  }
}

/** A connection that sends commands without waiting for each. */
class Pipe {
  readonly #socket: ReturnType<typeof connect>;

  static async open(path: string): Promise<Pipe> {
    const socket = connect(path);
    await once(socket, "connect");
    return new Pipe(socket);
  }

  private constructor(socket: ReturnType<typeof connect>) {
    this.#socket = socket;
  }

  /** Resolves when Redis has executed all of them. */
  async sendAll(commands: () => Generator<string>): Promise<void> {
    let text = command(["CLIENT", "REPLY", "OFF"]);
    for (const one of commands()) {
      text += one;
      if (text.length < FLUSH_BYTES) continue;
      if (!this.#socket.write(text, "latin1")) await once(this.#socket, "drain");
      text = "";
    }
    // The one reply of all, given when everything before it is done.
    const done = once(this.#socket, "data");
    this.#socket.write(text + command(["CLIENT", "REPLY", "ON"]), "latin1");
    const [reply] = (await done) as [Buffer];
    assert(reply.toString("latin1") === "+OK\r\n", `Redis answers ${reply.toString("latin1")}`);
  }

  close(): void {
    this.#socket.destroy();
  }
}
