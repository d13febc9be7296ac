import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import { readRefusal } from "../../client/replies.ts";
import * as request from "../../client/requests.ts";
import { testConfig } from "../../config.ts";
import { MatchInPlay } from "../../demo/match-in-play.ts";
import { seededRandom } from "../../domain/random.ts";
import { ROUTES } from "../router.ts";
import { CALLS } from "./calls.ts";
import { CLOSE } from "./close-codes.ts";
import { Call, Message } from "./generated/wire_generated.ts";
import { TestSocket } from "./test-socket.ts";

const config = { ...testConfig(), socketOrigins: ["https://play.example"] };
let play: MatchInPlay;
const sockets: TestSocket[] = [];

async function open(headers: Record<string, string> = {}): Promise<TestSocket> {
  const socket = await TestSocket.open(play.node.socketUrl, headers);
  sockets.push(socket);
  return socket;
}

beforeAll(async () => {
  play = await MatchInPlay.open(config, 5, { sockets: { framesPerSecondMax: 50, perUserMax: 2 } });
});

afterAll(async () => {
  for (const socket of sockets) socket.close();
  await play.node.stop();
  await rm(config.dataDir, { recursive: true, force: true });
});

test("every route that is a user's or an admin's is a call too", () => {
  const calls = new Set(Object.values(CALLS).map((call) => call!.route));
  const onlyHttp = ROUTES.filter((route) => !calls.has(route)).map(({ path }) => path);
  // What machines ask, and what is signed over its HTTP body.
  expect(onlyHttp.sort()).toEqual(["/healthz", "/readyz", "/v1/payments/webhook", "/v1/scores/{match}/event"]);
  const unnamed = Object.values(Call).filter((call) => typeof call === "number" && call !== Call.NONE && !CALLS[call]);
  expect(unnamed).toEqual([]);
});

describe("a frame that breaks the protocol ends the socket with a code that says so", () => {
  test.each<[string, Uint8Array | string, number]>([
    ["nothing", new Uint8Array(0), CLOSE.malformed[0]],
    ["garbage", new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]), CLOSE.malformed[0]],
    ["a frame cut short", request.writeCall(Call.GetMatch, 1, request.of(7)).slice(0, -4), CLOSE.malformed[0]],
    ["no request id", request.writeCall(Call.GetMatch, 0, request.of(7)), CLOSE.malformed[0]],
    ["a call without its table", request.writeCall(Call.GetMatch, 1, () => 0), CLOSE.malformed[0]],
    ["text", "hello", CLOSE.notBinary[0]],
    ["too many bytes", new Uint8Array(64 * 1_024 + 1), 1009],
  ])("%s", async (_name, bytes, code) => {
    const socket = await open();
    socket.sendBytes(bytes);
    expect(await socket.closed).toBe(code);
  });

  test("more frames than a second may bring", async () => {
    const socket = await open();
    for (let index = 0; index < 60; index++) socket.send(Call.Ping, request.nothing);
    expect(await socket.closed).toBe(CLOSE.tooManyFrames[0]);
  });
});

test("a call of a newer schema is refused by name, and the socket lives on", async () => {
  const socket = await open();
  const refused = readRefusal(await socket.ask(200 as Call, request.nothing));
  expect(refused).toMatchObject({ code: "unknown_call", retry: "no" });
  expect((await socket.ask(Call.Ping, request.nothing)).messageType()).toBe(Message.Welcome);
});

describe("who may open a socket", () => {
  const upgrade = (headers: Record<string, string>) =>
    fetch(play.node.socketUrl.replace("ws", "http"), {
      headers: {
        connection: "upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        "sec-websocket-protocol": "powerplay.1",
        ...headers,
      },
    });

  test.each([
    ["a page of another origin", { origin: "https://evil.example" }, 403, "origin_refused"],
    ["a page that hides its origin", { origin: "null" }, 403, "origin_refused"],
    ["another subprotocol", { "sec-websocket-protocol": "powerplay.9" }, 400, "subprotocol_unknown"],
    ["no socket at all", { upgrade: "h2c" }, 426, "upgrade_required"],
  ])("%s may not", async (_name, headers, status, code) => {
    const response = await upgrade(headers);
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([status, code]);
  });

  test("pages of the node's own origin and of named ones may", async () => {
    const own = await open({ origin: play.node.url });
    const named = await open({ origin: "https://play.example" });
    for (const socket of [own, named]) expect((await socket.push(Message.Welcome)).requestId()).toBe(0);
  });

  test("a user has a few sockets at once, and one more when one has gone", async () => {
    const { session } = await play.user("many-tabs");
    const signIn = async () => {
      const socket = await open();
      socket.send(Call.Authenticate, request.token(session.accessToken));
      return socket;
    };
    const [first] = [await signIn(), await signIn()];
    await first.heard((frame) => frame.messageType() === Message.Session);
    const third = await signIn();
    expect(await third.closed).toBe(CLOSE.tooManySockets[0]);
    first.close();
    await first.closed;
    const fourth = await signIn();
    expect((await fourth.heard((frame) => frame.requestId() === 1)).messageType()).toBe(Message.Session);
  });
});

describe("who is there", () => {
  test("nobody, somebody, somebody else: on one socket", async () => {
    const socket = await open();
    const balance = async () => (await socket.ask(Call.GetBalance, request.nothing)).messageType();
    const one = await play.user("one");
    const two = await play.user("two");
    const anonymous = readRefusal(await socket.ask(Call.GetBalance, request.nothing));
    expect(anonymous).toMatchObject({ code: "token_missing", retry: "afterAuthentication" });
    const forged = await socket.ask(Call.Authenticate, request.token(`${one.session.accessToken}x`));
    expect(readRefusal(forged)).toMatchObject({ code: "token_invalid" });
    for (const { session } of [one, two]) {
      const answer = await socket.ask(Call.Authenticate, request.token(session.accessToken));
      expect(answer.messageType()).toBe(Message.Session);
      expect(await balance()).toBe(Message.Balance);
    }
  });

  test("an access token that has expired is refused until it is refreshed, on the same socket", async () => {
    const socket = await open();
    const { session } = await play.user("late");
    await socket.ask(Call.Authenticate, request.token(session.accessToken));
    play.clock.advanceTo(session.accessExpiresAtMs);
    const refused = readRefusal(await socket.ask(Call.GetBalance, request.nothing));
    expect(refused).toMatchObject({ code: "token_expired", retry: "afterAuthentication" });
    const renewed = await socket.ask(Call.Refresh, request.token(session.refreshToken));
    expect(renewed.messageType()).toBe(Message.Session);
    expect((await socket.ask(Call.GetBalance, request.nothing)).messageType()).toBe(Message.Balance);
  });

  test("a call beyond its rate is told when to come back", async () => {
    const socket = await open();
    const { session } = await play.user("eager");
    await socket.ask(Call.Authenticate, request.token(session.accessToken));
    const ids = Array.from({ length: 5 }, (_, index) => socket.send(Call.Deposit, request.amount(100, `key-${index}`)));
    const answers = [];
    for (const id of ids) answers.push(await socket.heard((frame) => frame.requestId() === id));
    const refusals = answers.filter((frame) => frame.messageType() === Message.Refused).map(readRefusal);
    expect(refusals.length).toBeGreaterThan(0);
    for (const refusal of refusals) {
      expect(refusal).toMatchObject({ code: "rate_limited", retry: "later" });
      expect(refusal.retryAfterMs).toBeGreaterThan(0);
    }
  });
});

test("garbage from many sockets ends those, and nobody else's", async () => {
  const random = seededRandom(9);
  const good = await open();
  await Promise.all(
    Array.from({ length: 200 }, async () => {
      const socket = await open();
      const bytes = Uint8Array.from({ length: 1 + random.int(200) }, () => random.int(256));
      socket.sendBytes(bytes);
      expect(await socket.closed).toBe(CLOSE.malformed[0]);
    }),
  );
  expect((await good.ask(Call.ListMatches, request.nothing)).messageType()).toBe(Message.Matches);
});
