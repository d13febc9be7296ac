import { afterEach, expect, test } from "bun:test";
import { encodeBody } from "./codec.ts";
import { PeerClient, type PeerHandlers, PeerServer, PeerUnavailable } from "./peers.ts";

const SECRET = "a-cluster-secret-0123456789-0123456789";
const BODY_BYTES_MAX = 10_000;
const servers: { stop(): Promise<void> }[] = [];
const told: unknown[] = [];

afterEach(async () => {
  told.length = 0;
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

function serve(handlers: PeerHandlers, options: { port?: number; url?: string } = {}): PeerServer {
  const server = PeerServer.start({
    host: "127.0.0.1",
    port: 0,
    url: null,
    secret: SECRET,
    bodyBytesMax: BODY_BYTES_MAX,
    handlers,
    onTrouble: (error) => told.push(error),
    ...options,
  });
  servers.push(server);
  return server;
}

const client = (changes: { secret?: string; timeoutMs?: number } = {}) =>
  new PeerClient({ secret: SECRET, timeoutMs: 60_000, bodyBytesMax: BODY_BYTES_MAX, ...changes });

async function refusalOf(call: Promise<unknown>): Promise<PeerUnavailable> {
  const error: unknown = await call.then(
    () => null,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(PeerUnavailable);
  return error as PeerUnavailable;
}

test("a call takes its argument there and brings the answer back", async () => {
  const server = serve({
    add: async (numbers) => new Map([["sum", (numbers as Int16Array).reduce((sum, number) => sum + number, 0)]]),
    nothing: async () => undefined,
  });
  expect(await client().call(server.url, "add", Int16Array.of(3, -5, 9))).toEqual(new Map([["sum", 7]]));
  expect(await client().call(server.url, "nothing", null)).toBeNull();
});

test("calls share connections and do not wait for each other", async () => {
  const [first, second] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  const server = serve({ wait: async (which) => (which === 1 ? first.promise : second.promise) });
  const peer = client();
  const [one, two] = [peer.call(server.url, "wait", 1), peer.call(server.url, "wait", 2)];
  second.resolve("two");
  expect(await two).toBe("two");
  first.resolve("one");
  expect(await one).toBe("one");
});

test("whoever does not have the secret is refused before anything is read", async () => {
  let asked = 0;
  const server = serve({ ask: async () => ++asked });
  for (const secret of ["", "x", `${SECRET}x`, SECRET.toUpperCase()]) {
    expect((await refusalOf(client({ secret }).call(server.url, "ask", 1))).reason).toContain("401");
  }
  expect((await fetch(`${server.url}/peer/ask`, { method: "POST", body: "1" })).status).toBe(401);
  expect(asked).toBe(0);
});

test("a call that fails there is told at both ends, and names the peer and the call", async () => {
  const server = serve({
    async fail() {
      throw new Error("no such board");
    },
  });
  const error = await refusalOf(client().call(server.url, "fail", 1));
  expect(error.message).toBe(`the node at ${server.url} does not answer fail: status 500: no such board`);
  expect([error.url, error.call]).toEqual([server.url, "fail"]);
  expect(told.map(String)).toEqual(["Error: no such board"]);
});

test("a call that is not known is refused, also one that every object has", async () => {
  const server = serve({});
  for (const name of ["ask", "toString", "constructor", ""]) {
    expect((await refusalOf(client().call(server.url, name, 1))).reason).toContain("404");
  }
});

test("a peer that is gone or slow rejects", async () => {
  const server = serve({ slow: () => new Promise(() => undefined) });
  expect((await refusalOf(client({ timeoutMs: 20 }).call(server.url, "slow", 1))).reason).toContain("timed out");
  const gone = PeerServer.start({
    host: "127.0.0.1",
    port: 0,
    url: null,
    secret: SECRET,
    bodyBytesMax: BODY_BYTES_MAX,
    handlers: {},
    onTrouble: () => undefined,
  });
  await gone.stop();
  expect((await refusalOf(client().call(gone.url, "ask", 1))).url).toBe(gone.url);
});

test("questions and answers that are too large are refused", async () => {
  const server = serve({ echo: async (text) => text, grow: async () => "x".repeat(BODY_BYTES_MAX) });
  const fits = "x".repeat(BODY_BYTES_MAX - 2);
  expect(await client().call(server.url, "echo", fits)).toBe(fits);
  expect((await refusalOf(client().call(server.url, "echo", `${fits}x`))).reason).toContain("more than 10000 bytes");
  expect((await refusalOf(client().call(server.url, "grow", 1))).reason).toContain("more than 10000 bytes");
  const generous = new PeerClient({ secret: SECRET, timeoutMs: 60_000, bodyBytesMax: 2 * BODY_BYTES_MAX });
  expect((await refusalOf(generous.call(server.url, "echo", `${fits}x`))).reason).toContain("413");
});

test("a body that is none of the codec is refused at either end", async () => {
  const server = serve({ ask: async () => 1 });
  const authorization = `Bearer ${SECRET}`;
  const answer = await fetch(`${server.url}/peer/ask`, { method: "POST", headers: { authorization }, body: "{" });
  expect(answer.status).toBe(400);
  const stranger = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response('{"$":"Set"}') });
  servers.push(stranger);
  const { reason } = await refusalOf(client().call(`http://127.0.0.1:${stranger.port}`, "ask", 1));
  expect(reason).toContain("the answer is malformed");
});

test("the secret is sent to nobody else", async () => {
  const server = serve({ ask: async () => 1 });
  const detour = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => Response.redirect(`${server.url}/peer/ask`, 307),
  });
  servers.push(detour);
  await refusalOf(client().call(`http://127.0.0.1:${detour.port}`, "ask", 1));
});

test("a stop answers what is under way", async () => {
  const [asked, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<number>()];
  const server = serve({
    ask() {
      asked.resolve();
      return answered.promise;
    },
  });
  const call = client().call(server.url, "ask", 1);
  await asked.promise;
  const stopping = server.stop();
  answered.resolve(5);
  expect(await call).toBe(5);
  await stopping;
});

test("others are told the address that was configured, or one that is derived", () => {
  expect(serve({}, { url: "http://node-1.internal:9" }).url).toBe("http://node-1.internal:9");
  expect(serve({}).url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
});

test("an answer that the codec lacks is a failure of the peer", async () => {
  const server = serve({ ask: async () => 1n });
  expect((await refusalOf(client().call(server.url, "ask", 1))).reason).toContain("500");
  expect(() => encodeBody(1n)).toThrow(TypeError);
});
