import { expect, test } from "bun:test";
import { ByteBuffer } from "flatbuffers";
import { done } from "../../client/answer.ts";
import type { ContestView } from "../../client/contest-stream.ts";
import type { Follow } from "../../client/follow.ts";
import { Follows } from "../../client/follows.ts";
import { writeCall } from "../../client/requests.ts";
import { limits } from "../../config.ts";
import type { Contest } from "../../domain/contest.ts";
import { contestId, type EntryId, matchId, teamNo, type UserId, userId, userOfEntry } from "../../domain/ids.ts";
import { entryId } from "../../domain/ids.ts";
import type { Match } from "../../domain/match.ts";
import { paise } from "../../domain/money.ts";
import type { PointsVector } from "../../domain/points.ts";
import { PrizeSchedule } from "../../domain/prizes.ts";
import { seededRandom as randomOf, type Random } from "../../domain/random.ts";
import { scoreRoster } from "../../domain/roster.ts";
import { ClientIn } from "../../edge/socket/generated/powerplay/wire/client-in.ts";
import { ClientOut } from "../../edge/socket/generated/powerplay/wire/client-out.ts";
import { Call, Follow as FollowTable, Message, Of } from "../../edge/socket/generated/wire_generated.ts";
import { writeFrame } from "../../edge/socket/frame-writer.ts";
import { standingOf } from "../board/board.ts";
import { indexOfId } from "../board/queries.ts";
import { randomColumns, randomPoints, seededRandom } from "../kernel/random-board.ts";
import { rosterAt } from "../kernel/tiles.ts";
import { typescriptKernel } from "../kernel/typescript.ts";
import { Gateway } from "./gateway.ts";
import { Session } from "./session.ts";

/**
 * Clients and gateway over a network that loses connections, and over clients that stop reading, in an order that a seed
 * chooses. The law: once everybody reads again and nothing moves, everybody shows exactly what the board says. And while a
 * client does not read, what waits for it stays small.
 */
const POOL = 22;
const ENTRIES = 60;
const match = { id: matchId(7), state: "live" } as Match;
const contests = [3, 4].map(
  (id) =>
    ({
      id: contestId(id),
      matchId: match.id,
      kind: "free",
      name: `contest ${id}`,
      state: "open",
      prizePoolPaise: paise(1_000),
      prizes: [
        { fromRank: 1, toRank: 2, amountPaise: paise(300) },
        { fromRank: 3, toRank: 6, amountPaise: paise(100) },
      ],
    }) as unknown as Contest,
);

const isElsewhere = (user: UserId): boolean => user % 2 === 0;

class FakeBoards {
  readonly #columns = new Map(contests.map(({ id }) => [id, randomColumns(seededRandom(id), ENTRIES, POOL)]));
  isLive = false;
  version = 0;
  points: PointsVector = new Int16Array(64);

  /** Users whose rosters were brought from other nodes; those of others are on this one. */
  readonly #prepared = new Set<string>();

  watch = () => ({ ready: Promise.resolve(), stop: () => undefined });
  prepare(_match: unknown, contest: Contest["id"], users: readonly UserId[]): Promise<void> | null {
    const keys = users.filter(isElsewhere).map((user) => `${contest} ${user}`);
    if (keys.every((key) => this.#prepared.has(key))) return null;
    return new Promise((resolve) =>
      setImmediate(() => {
        for (const key of keys) this.#prepared.add(key);
        resolve();
      }),
    );
  }
  standing(_match: unknown, contest: Contest["id"]) {
    return this.isLive ? this.at(contest) : undefined;
  }
  at(contest: Contest["id"]) {
    const standing = standingOf(typescriptKernel, this.#columns.get(contest)!, this.points);
    return { pointsVersion: this.version, timeMs: 0, points: this.points, standing };
  }
  roster(_match: unknown, contest: Contest["id"], entry: EntryId) {
    const user = userOfEntry(entry);
    const isKnown = !isElsewhere(user) || this.#prepared.has(`${contest} ${user}`);
    return isKnown ? this.lockedRoster(contest, entry) : null;
  }
  lockedRoster(contest: Contest["id"], entry: EntryId) {
    const columns = this.#columns.get(contest)!;
    const position = indexOfId(columns.entryIds, entry);
    return position < 0 ? null : rosterAt(columns.tiles, position);
  }
  usersOf = (contest: Contest["id"]) =>
    Array.from(this.#columns.get(contest)!.entryIds, (entry) => userOfEntry(entry as EntryId));
}

/** The network: topics, and a queue a socket while its client does not read. */
class Network {
  readonly topics = new Map<string, Set<FakeSocket>>();

  publish(topic: string, frame: Uint8Array): void {
    for (const socket of this.topics.get(topic) ?? []) socket.deliver(frame.slice());
  }
}

class FakeSocket {
  reads = true;
  readonly queue: Uint8Array[] = [];
  /** Of the queue: what the client did not ask for. */
  pushesWaiting = 0;
  readonly session = new Session("somewhere", 0, 1_000);

  constructor(
    private readonly network: Network,
    private readonly follows: Follows,
  ) {
    this.session.connection = this as never;
  }

  deliver(bytes: Uint8Array): void {
    if (!this.reads) {
      this.queue.push(bytes);
      this.pushesWaiting++;
    } else {
      const frame = ClientIn.getRootAsClientIn(new ByteBuffer(bytes));
      this.follows.receive(frame.messageType(), frame);
    }
  }
  readAgain(): void {
    this.reads = true;
    this.pushesWaiting = 0;
    for (const bytes of this.queue.splice(0)) this.deliver(bytes);
    this.session.drained();
  }
  hangUp(): void {
    for (const sockets of this.network.topics.values()) sockets.delete(this);
    this.session.gone();
  }

  // What the gateway calls.
  sendBinary(frame: Uint8Array): number {
    this.deliver(frame.slice());
    return frame.length;
  }
  cork = (send: () => void): void => send();
  getBufferedAmount = (): number => this.queue.reduce((sum, { length }) => sum + length, 0);
  subscribe(topic: string): boolean {
    const sockets = this.network.topics.get(topic) ?? new Set();
    this.network.topics.set(topic, sockets.add(this));
    return true;
  }
  unsubscribe = (topic: string): boolean => this.network.topics.get(topic)?.delete(this) ?? false;
}

class FakeClient {
  socket: FakeSocket | null = null;
  readonly follows: Follows;
  readonly following = new Map<Contest, Follow<ContestView>>();

  constructor(
    readonly user: UserId | null,
    private readonly network: Network,
    private readonly gateway: Gateway,
  ) {
    this.follows = new Follows(async (call, write, read) => {
      const { socket } = this;
      const out = ClientOut.getRootAsClientOut(new ByteBuffer(writeCall(call, 1, write)));
      if (call === Call.UnfollowContest) {
        gateway.unfollowContest(socket!.session, (out.call(new Of()) as Of).id() as never);
        return done(undefined as never);
      }
      const seen = out.call(new FollowTable()) as FollowTable;
      const contest = contests.find(({ id }) => id === seen.id())!;
      const answered = Promise.withResolvers<Uint8Array>();
      // Whoever hung up meanwhile is not answered.
      await this.gateway.followContest(
        socket!.session,
        contest,
        match,
        { epoch: seen.epoch(), offset: seen.offset() },
        (write) => {
          const bytes = writeFrame(Message.ContestFollowed, 1, write).slice();
          if (socket!.reads) read(ClientIn.getRootAsClientIn(new ByteBuffer(bytes)));
          // In the queue like everything else; read as a push all the same.
          else socket!.queue.push(bytes);
          answered.resolve(bytes);
        },
      );
      await answered.promise;
      return done(undefined as never);
    });
  }

  connect(): void {
    this.socket = new FakeSocket(this.network, this.follows);
    this.socket.session.userId = this.user;
    this.follows.resume();
  }
  hangUp(): void {
    this.follows.pause();
    this.socket!.hangUp();
    this.socket = null;
  }
}

function step(random: Random, clients: readonly FakeClient[], boards: FakeBoards, gateway: Gateway): void {
  const client = random.pick(clients);
  const contest = random.pick(contests);
  switch (random.int(8)) {
    case 0:
      if (client.socket === null) client.connect();
      else if (random.chance(0.3)) client.hangUp();
      break;
    case 1:
      if (!client.following.has(contest)) client.following.set(contest, client.follows.contest(contest.id));
      break;
    case 2:
      if (random.chance(0.3)) {
        client.following.get(contest)?.stop();
        client.following.delete(contest);
      }
      break;
    case 3:
      if (client.socket !== null) client.socket.reads = false;
      break;
    case 4:
      client.socket?.readAgain();
      break;
    case 5:
      if (random.chance(0.2)) boards.isLive = true;
      gateway.published(match.id);
      break;
    default:
      boards.version++;
      boards.points = randomPoints(() => random.next(), POOL, random.pick([20, 400]));
      gateway.published(match.id);
  }
}

function expectExact(client: FakeClient, boards: FakeBoards): void {
  for (const [contest, follow] of client.following) {
    const { view } = follow;
    const { standing, points } = boards.at(contest.id);
    const prizes = new PrizeSchedule(contest.prizes, contest.prizePoolPaise);
    const prizeOf = (scoreQp: number) =>
      prizes.split(standing.rank(scoreQp), Math.max(1, standing.countAt(scoreQp))).eachPaise;
    expect(view?.live).toBe(true);
    expect(view!.top.map(({ entryId, rank, scoreQp, prizePaise }) => [entryId, rank, scoreQp, prizePaise])).toEqual(
      standing
        .top()
        .slice(0, 10)
        .map(({ entryId, rank, scoreQp }) => [entryId, rank, scoreQp, prizeOf(scoreQp)]),
    );
    expect(view!.top.map(({ userName }) => userName)).toEqual(view!.top.map(({ userId }) => `name ${userId}`));
    const own = Array.from({ length: 20 }, (_, index) => entryId(client.user ?? userId(1), teamNo(index + 1)))
      .filter((entry) => client.user !== null && boards.lockedRoster(contest.id, entry) !== null)
      .map((entry) => {
        const scoreQp = scoreRoster(boards.lockedRoster(contest.id, entry)!, points);
        return { entryId: entry, rank: standing.rank(scoreQp), scoreQp, prizePaise: prizeOf(scoreQp) };
      });
    own.sort((a, b) => a.rank - b.rank || a.entryId - b.entryId);
    expect(view!.own.map(({ entryId, rank, scoreQp, prizePaise }) => ({ entryId, rank, scoreQp, prizePaise }))).toEqual(
      own,
    );
  }
}

const untilQuiet = async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
};

test.each([1, 2, 3, 4, 5, 6])("seed %d: whoever reads comes to show exactly the board", async (seed) => {
  const random = randomOf(seed);
  const boards = new FakeBoards();
  const network = new Network();
  const troubles: unknown[] = [];
  const gateway = new Gateway({
    boards,
    namesOf: async (users) => new Map(users.map((user) => [user, `name ${user}`])),
    matchNow: async () => match,
    updatesOf: () => [],
    epoch: 5,
    limits: { ...limits.gateway, tickMs: 0, spreadMs: 0, sliceSockets: 4 },
    onTrouble: (error) => troubles.push(error),
  });
  gateway.publishTo((topic, frame) => network.publish(topic, frame));
  const users = [...boards.usersOf(contests[0]!.id).slice(0, 12), ...boards.usersOf(contests[1]!.id).slice(20, 28)];
  const clients = [...users, null, null].map((user) => new FakeClient(user, network, gateway));
  let pushesWaitingMax = 0;
  for (let round = 0; round < 1_500; round++) {
    step(random, clients, boards, gateway);
    if (random.chance(0.4)) await new Promise<void>((resolve) => setImmediate(resolve));
    for (const { socket } of clients) pushesWaitingMax = Math.max(pushesWaitingMax, socket?.pushesWaiting ?? 0);
  }
  boards.isLive = true;
  for (const client of clients) {
    if (client.socket === null) client.connect();
    else client.socket.readAgain();
  }
  await untilQuiet();
  gateway.published(match.id);
  await untilQuiet();
  for (const client of clients) expectExact(client, boards);
  expect(troubles).toEqual([]);
  // One round: a top list and a few own entries of two contests.
  expect(pushesWaitingMax).toBeGreaterThan(0);
  expect(pushesWaitingMax).toBeLessThanOrEqual(8);
  gateway.stop();
});
