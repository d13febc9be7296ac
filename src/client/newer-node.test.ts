import { afterAll, beforeAll, expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import { Builder } from "flatbuffers";
import { testConfig } from "../config.ts";
import { MatchInPlay } from "../demo/match-in-play.ts";
import { ClientIn } from "../edge/socket/generated/powerplay/wire/client-in.ts";
import type { Message } from "../edge/socket/generated/wire_generated.ts";
import { SUBPROTOCOL } from "../edge/socket/subprotocol.ts";
import { PowerplayClient } from "./index.ts";

const config = testConfig();
let play: MatchInPlay;
beforeAll(async () => {
  play = await MatchInPlay.open(config);
});
afterAll(async () => {
  await play.node.stop();
  await rm(config.dataDir, { recursive: true, force: true });
});

/** A push that only a newer schema has. */
function unknownPush(): Uint8Array<ArrayBuffer> {
  const builder = new Builder(64);
  builder.startObject(0);
  const table = builder.endObject();
  builder.finish(ClientIn.createClientIn(builder, 250 as Message, table, 0));
  return new Uint8Array(builder.asUint8Array());
}

/** A node in front of the node, which says something unknown before everything that it passes on. */
function relay(): { url: string; spoken: () => number; stop: () => Promise<void> } {
  let spoken = 0;
  const server = Bun.serve<WebSocket>({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request, self) {
      const node = new WebSocket(play.node.socketUrl, [SUBPROTOCOL]);
      node.binaryType = "arraybuffer";
      const upgraded = self.upgrade(request, { data: node, headers: { "sec-websocket-protocol": SUBPROTOCOL } });
      return upgraded ? undefined : new Response(null, { status: 400 });
    },
    websocket: {
      open(socket) {
        socket.data.addEventListener("message", ({ data }) => {
          spoken++;
          socket.send(unknownPush());
          socket.send(new Uint8Array(data as ArrayBuffer));
        });
      },
      message(socket, frame) {
        const node = socket.data;
        const send = () => node.send(frame as never);
        if (node.readyState === WebSocket.OPEN) send();
        else node.addEventListener("open", send);
      },
      close: (socket) => socket.data.close(),
    },
  });
  return {
    url: `ws://127.0.0.1:${server.port}`,
    spoken: () => spoken,
    stop: () => server.stop(true),
  };
}

test("pushes of a newer node are passed over: calls and streams go on as if they had not come", async () => {
  const newer = relay();
  const contest = await play.openContest();
  const player = await play.player("somebody", [contest]);
  const client = new PowerplayClient({ url: newer.url, session: player.session });
  client.connect();
  const squad = await client.squad(play.matchId);
  expect(squad.ok && squad.value.players.length).toBeGreaterThan(21);
  const follow = client.followMatch(play.matchId);
  await new Promise<void>((resolve) => {
    if (follow.view !== null) resolve();
    else follow.onChange(() => resolve());
  });
  expect(follow.view?.match.id).toBe(play.matchId);
  expect(client.state).toBe("open");
  expect(newer.spoken()).toBeGreaterThan(2);
  client.close();
  await newer.stop();
});
