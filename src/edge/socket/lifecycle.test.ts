import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import { type ContestView, type Follow, PowerplayClient } from "../../client/index.ts";
import { matchOf, tableOf } from "../../client/replies.ts";
import * as request from "../../client/requests.ts";
import { testConfig } from "../../config.ts";
import { MatchInPlay, type Player } from "../../demo/match-in-play.ts";
import type { Contest } from "../../domain/contest.ts";
import { edgeLimits } from "../limits.ts";
import { CLOSE } from "./close-codes.ts";
import { Call, ContestFollowed, MatchFollowed, Message, MoveAway, Resumed } from "./generated/wire_generated.ts";
import { TestSocket } from "./test-socket.ts";

const PLAYERS = 60;
const config = { ...testConfig(), drainMs: 200 };
let play: MatchInPlay;
let contest: Contest;
const players: Player[] = [];
const clients: PowerplayClient[] = [];

const impatient = { backoffMinMs: 5, backoffMaxMs: 40 };
function connect(player: Player): PowerplayClient {
  const client = new PowerplayClient({ url: play.node.socketUrl, session: player.session, times: impatient });
  clients.push(client);
  client.connect();
  return client;
}

async function until<View>(follow: Follow<View>, holds: (view: View) => boolean): Promise<View> {
  for await (const view of follow) if (holds(view)) return view;
  throw new Error("the stream was stopped");
}

/** Own rank and top list as the board has them now. */
async function exactly(player: Player): Promise<(view: ContestView) => boolean> {
  const [mine, top] = await Promise.all([
    play.node.game.boards.mine(player.id, contest.id),
    play.node.game.boards.top(contest.id, 10),
  ]);
  if (!mine.ok || !top.ok) throw new Error("the board does not answer");
  const { rank, scoreQp } = mine.value.rows[0]!;
  return (view) =>
    view.own[0]?.rank === rank && view.own[0].scoreQp === scoreQp && Bun.deepEquals(view.top, top.value.rows);
}

beforeAll(async () => {
  const publicReads = { capacity: 1_000_000, refillPerSecond: 1_000_000 };
  const sockets = { framesPerSecondMax: 1_000_000, bufferedBytesMax: 256 * 1_024 };
  play = await MatchInPlay.open(config, 5, { sockets, edge: { rates: { ...edgeLimits.rates, publicReads } } });
  contest = await play.openContest();
  for (let index = 0; index < PLAYERS; index++) players.push(await play.player(`player-${index}`, [contest]));
  await play.lock();
  await play.play(30);
  await play.settled();
});

afterAll(async () => {
  for (const client of clients) client.close();
  await play.node.stop();
  await rm(config.dataDir, { recursive: true, force: true });
});

describe("a stream goes on where a client was", () => {
  const followed = async (socket: TestSocket, epoch: number, offset: number) =>
    tableOf(await socket.ask(Call.FollowContest, request.follow(contest.id, epoch, offset)), ContestFollowed);
  const matchFollowed = async (socket: TestSocket, epoch: number, offset: number) =>
    tableOf(await socket.ask(Call.FollowMatch, request.follow(play.matchId, epoch, offset)), MatchFollowed);

  test("a contest: a snapshot, nothing new, or a snapshot again", async () => {
    const [first, second, third, fourth] = await Promise.all(
      Array.from({ length: 4 }, () => TestSocket.open(play.node.socketUrl)),
    );
    const fresh = await followed(first!, 0, 0);
    expect([fresh.resumed(), fresh.topLength(), fresh.live()]).toEqual([Resumed.Snapshot, 10, true]);
    const same = await followed(second!, fresh.epoch(), fresh.offset());
    expect([same.resumed(), same.topLength(), same.offset()]).toEqual([Resumed.NothingNew, 0, fresh.offset()]);
    const otherEpoch = await followed(third!, fresh.epoch() + 1, fresh.offset());
    expect(otherEpoch.resumed()).toBe(Resumed.Snapshot);
    await play.play(5);
    await first!.push(Message.TopMoved);
    const late = await followed(fourth!, fresh.epoch(), fresh.offset());
    expect([late.resumed(), late.topLength(), late.epoch()]).toEqual([Resumed.Snapshot, 10, fresh.epoch()]);
    for (const socket of [first, second, third, fourth]) socket!.close();
  });

  test("a match: a snapshot, every ball that was missed, or nothing new", async () => {
    const [first, second, third, fourth] = await Promise.all(
      Array.from({ length: 4 }, () => TestSocket.open(play.node.socketUrl)),
    );
    await play.settled();
    // What is told comes with the next tick.
    let fresh = await matchFollowed(first!, 0, 0);
    while (fresh.ballsLength() < 35) fresh = await matchFollowed(first!, 0, 0);
    expect(fresh.resumed()).toBe(Resumed.Snapshot);
    expect(fresh.pointsQpLength()).toBeGreaterThanOrEqual(play.squad.players.length);
    expect(matchOf(fresh.match()!)).toMatchObject({ id: play.matchId, state: "live" });
    const same = await matchFollowed(second!, fresh.epoch(), fresh.offset());
    expect([same.resumed(), same.ballsLength(), same.offset()]).toEqual([Resumed.NothingNew, 0, fresh.offset()]);
    await play.play(3);
    await play.settled();
    let missed = await matchFollowed(third!, fresh.epoch(), fresh.offset());
    while (missed.ballsLength() < 3) missed = await matchFollowed(third!, fresh.epoch(), fresh.offset());
    expect([missed.resumed(), missed.ballsLength()]).toEqual([Resumed.Missed, 3]);
    const other = await matchFollowed(fourth!, fresh.epoch() ^ 1, fresh.offset());
    expect(other.resumed()).toBe(Resumed.Snapshot);
    for (const socket of [first, second, third, fourth]) socket!.close();
  });

  test("what is no longer followed is not told", async () => {
    const socket = await TestSocket.open(play.node.socketUrl);
    await followed(socket, 0, 0);
    await matchFollowed(socket, 0, 0);
    expect((await socket.ask(Call.UnfollowContest, request.of(contest.id))).messageType()).toBe(Message.Done);
    await play.play(3);
    await play.settled();
    await socket.push(Message.Ball);
    expect((await socket.ask(Call.UnfollowMatch, request.of(play.matchId))).messageType()).toBe(Message.Done);
    await play.play(1);
    await play.settled();
    await socket.ask(Call.Ping, request.nothing);
    expect(socket.waiting(Message.TopMoved)).toBe(0);
    socket.close();
  });
});

describe("a restart", () => {
  test("readiness ends first, sockets are told to move and then ended, nobody new is let in", async () => {
    // Enough that some of them are asked to stay until near the end of the window.
    const watchers = await Promise.all(Array.from({ length: 40 }, () => TestSocket.open(play.node.socketUrl)));
    const { opsUrl, url, socketUrl } = play.node;
    const restarted = play.restart();
    const ready = await fetch(`${url}/readyz`);
    expect(ready.status).toBe(503);
    expect((await fetch(`${opsUrl}/readyz`)).status).toBe(503);
    expect((await fetch(`${opsUrl}/healthz`)).status).toBe(200);
    await expect(TestSocket.open(socketUrl)).rejects.toThrow("closed");
    const afterMs = await Promise.all(
      watchers.map(async (watcher) => tableOf(await watcher.push(Message.MoveAway), MoveAway).afterMs()),
    );
    expect(new Set(afterMs).size).toBeGreaterThan(10);
    expect(Math.max(...afterMs)).toBeLessThanOrEqual(config.drainMs);
    for (const watcher of watchers) expect(await watcher.closed).toBe(CLOSE.moved[0]);
    await restarted;
    const again = await TestSocket.open(play.node.socketUrl);
    expect((await again.ask(Call.Ping, request.nothing)).messageType()).toBe(Message.Welcome);
    again.close();
  });

  test("everybody comes back by themselves, and shows the board exactly, also what happened meanwhile", async () => {
    const follows = players.map((player) => connect(player).followContest(contest.id));
    const epochs = await Promise.all(follows.map((follow) => until(follow, ({ live }) => live)));
    expect(epochs).toHaveLength(PLAYERS);
    await play.restart();
    await play.play(12);
    await play.settled();
    for (const [index, player] of players.entries()) {
      const view = await until(follows[index]!, await exactly(player));
      expect(view.own[0]!.entryId).toBe(player.entry);
    }
    for (const follow of follows) follow.stop();
  });

  test("no call under way is lost: each is answered, once, before the socket ends or after it is back", async () => {
    const client = clients[0]!;
    const count = { answered: 0 };
    const refusals: string[] = [];
    const more = async (than: number) => {
      while (count.answered < than && refusals.length === 0) await Bun.sleep(1);
    };
    const ending = new AbortController();
    const lanes = Array.from({ length: 8 }, async () => {
      while (!ending.signal.aborted) {
        const answer = await client.matches();
        if (!answer.ok) {
          refusals.push(answer.refusal.code);
          break;
        }
        count.answered++;
      }
    });
    await more(50);
    await play.restart();
    await more(count.answered + 50);
    ending.abort();
    await Promise.all(lanes);
    expect(refusals).toEqual([]);
  });
});

describe("a node survives", () => {
  test("two thousand connections at once, all of which follow", async () => {
    const sockets = await Promise.all(Array.from({ length: 2_000 }, () => TestSocket.open(play.node.socketUrl)));
    const answers = await Promise.all(
      sockets.map((socket) => socket.ask(Call.FollowContest, request.follow(contest.id, 0, 0))),
    );
    expect(new Set(answers.map((frame) => frame.messageType()))).toEqual(new Set([Message.ContestFollowed]));
    await play.play(4);
    await Promise.all(sockets.map((socket) => socket.push(Message.TopMoved)));
    for (const socket of sockets) socket.close();
    await Promise.all(sockets.map((socket) => socket.closed));
  });

  test("clients that never read: they end, everybody else is told, and the node stops when it is asked to", async () => {
    const { hostname, port } = new URL(play.node.url);
    const ended: Promise<void>[] = [];
    const deaf = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const end = Promise.withResolvers<void>();
        ended.push(end.promise);
        const handshake = Promise.withResolvers<void>();
        const socket = await Bun.connect({
          hostname,
          port: Number(port),
          socket: {
            open: (tcp) =>
              void tcp.write(
                `GET /v1/socket HTTP/1.1\r\nHost: ${hostname}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
                  "Sec-WebSocket-Protocol: powerplay.1\r\n\r\n",
              ),
            data: () => handshake.resolve(),
            close: () => end.resolve(),
            error: () => end.resolve(),
          },
        });
        await handshake.promise;
        socket.pause();
        return socket;
      }),
    );
    const calls = Array.from({ length: 60 }, (_, index) =>
      clientFrame(request.writeCall(Call.GetSquad, index + 1, request.of(play.matchId))),
    );
    const before = play.node.sockets.openCount;
    const listener = await TestSocket.open(play.node.socketUrl);
    await listener.ask(Call.FollowMatch, request.follow(play.matchId, 0, 0));
    // They ask and ask, and take nothing: what waits for them is bounded, so the node ends them.
    while (play.node.sockets.openCount > before - deaf.length + 1) {
      for (const socket of deaf) for (const frame of calls) socket.write(frame);
      await Bun.sleep(1);
    }
    await play.play(1);
    await play.settled();
    expect((await listener.push(Message.Ball)).requestId()).toBe(0);
    for (const socket of deaf) socket.resume();
    await Promise.all(ended);
    listener.close();

    // One that took its last byte long ago is no reason to wait.
    const idle = await Bun.connect({ hostname, port: Number(port), socket: { data: () => undefined } });
    idle.pause();
    await play.restart();
    idle.end();
  });
});

/** A client's frame, masked with zeros. */
function clientFrame(payload: Uint8Array): Uint8Array {
  return Uint8Array.from([0x82, 0x80 | payload.length, 0, 0, 0, 0, ...payload]);
}
