import { expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import { type Answer, PowerplayClient } from "../client/index.ts";
import { testConfig } from "../config.ts";
import type { Match } from "../domain/match.ts";
import { rupees } from "../domain/money.ts";
import { seededRandom } from "../domain/random.ts";
import { ROSTER_RULES } from "../domain/roster.ts";
import { playDemo } from "./demo.ts";
import { RandomRosters } from "./random-roster.ts";
import { Terminal } from "./terminal.ts";

const silent = new Terminal({ isTTY: false, write: () => true } as unknown as NodeJS.WriteStream);
/** Longer than any test: whoever waits for it in vain is seen to hang. */
const WINDOW_MS = 600_000;

const said = <T>(answer: Answer<T>): T => {
  if (!answer.ok) throw new Error(answer.refusal.message);
  return answer.value;
};

/** The match that can be entered, once its contests are there. */
async function upcoming(client: PowerplayClient): Promise<Match> {
  for (;;) {
    const match = said(await client.matches()).find(({ state }) => state === "upcoming");
    if (match !== undefined && said(await client.contests(match.id)).some(({ kind }) => kind === "mega")) return match;
    await Bun.sleep(5);
  }
}

async function enter(client: PowerplayClient, match: Match): Promise<void> {
  const squad = said(await client.squad(match.id));
  const rosters = new RandomRosters(squad, ROSTER_RULES[match.rosterRules]!);
  said(await client.saveTeam(match.id, 1, rosters.draw(seededRandom(1))));
  const mega = said(await client.contests(match.id)).find(({ kind }) => kind === "mega")!;
  said(await client.join(mega.id, 1));
}

test("the demo waits for a visitor, pays the visitor's contest, and opens another match for who is still there", async () => {
  const config = testConfig();
  // Bots and visitor find the node at an address that is known before it starts.
  const free = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const port = free.port!;
  await free.stop(true);
  const speeds = { speed: 1_000_000, visitorSpeed: 1_000_000, visitorWindowMs: WINDOW_MS };
  const demo = playDemo({ config: { ...config, port }, botCount: 20, seed: 3, matchFile: null, ...speeds }, silent);

  const visitor = new PowerplayClient({ url: `ws://127.0.0.1:${port}/v1/socket`, times: { backoffMaxMs: 50 } });
  visitor.connect();
  said(await visitor.openGuest());
  const { orderId } = said(await visitor.deposit(rupees(500)));
  said(await visitor.payInSandbox(orderId));
  while (said(await visitor.depositOf(orderId)).state === "created") await Bun.sleep(25);
  const first = await upcoming(visitor);
  await enter(visitor, first);
  // Whoever leaves is not waited for.
  visitor.close();
  const result = await demo;
  const abort = new AbortController();
  try {
    visitor.connect();
    expect(said(await visitor.match(first.id)).state).toBe("released");
    const [entry] = said(await visitor.entries(first.id));
    expect(said(await visitor.mine(entry!.contestId)).rows).toHaveLength(1);

    const along = result.playAlong(abort.signal);
    const second = await upcoming(visitor);
    expect(second.id).not.toBe(first.id);
    await enter(visitor, second);
    abort.abort();
    await along;
  } finally {
    abort.abort();
    visitor.close();
    await result.node.stop();
    await rm(config.dataDir, { recursive: true, force: true });
  }
});
