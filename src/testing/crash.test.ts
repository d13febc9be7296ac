import { expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { limits, testConfig } from "../config.ts";
import { userAccount } from "../domain/account.ts";
import { type ContestId, type EntryId, type MatchId, teamNo, userId, type UserId } from "../domain/ids.ts";
import type { Match } from "../domain/match.ts";
import { rupees } from "../domain/money.ts";
import { seededRandom } from "../domain/random.ts";
import { openStores } from "../stores/open.ts";
import { forEachRecord, partitionOf } from "../stores/event-log/port.ts";
import { startNode } from "../main.ts";
import { decodeScoreRecord } from "../stream/score-event.ts";
import { announcedEntries } from "../transaction/announced-entries.ts";
import { reconcile } from "../transaction/reconcile.ts";
import type { Acknowledged } from "./crash-load.ts";

/** Each kill comes at a random instant; what it cuts in two differs from run to run, what must hold does not. */
const ROUNDS = 12;
const USERS_PER_ROUND = 40;

/** Starts the loaded node, kills it after so many acknowledgements, answers all that it had acknowledged by then. */
async function killAfter(config: ReturnType<typeof testConfig>, round: number, count: number): Promise<Acknowledged[]> {
  const child = Bun.spawn(
    [process.execPath, new URL("./crash-load.ts", import.meta.url).pathname, JSON.stringify({ config, round })],
    { stdout: "pipe", stderr: "inherit" },
  );
  const acknowledged: Acknowledged[] = [];
  let text = "";
  let killed = false;
  for await (const chunk of child.stdout) {
    text += new TextDecoder().decode(chunk);
    const lines = text.split("\n");
    text = lines.pop()!;
    for (const line of lines) if (line !== "ready") acknowledged.push(JSON.parse(line) as Acknowledged);
    if (!killed && acknowledged.length >= count) {
      killed = true;
      child.kill("SIGKILL");
    }
  }
  await child.exited;
  expect(killed).toBe(true);
  return acknowledged;
}

test("kill -9 at any moment loses no acknowledged save, join or score event, and no money", async () => {
  const directory = join(tmpdir(), `powerplay-${crypto.randomUUID()}`);
  const config = testConfig(directory);
  const random = seededRandom(Date.now());
  const acknowledged: Acknowledged[] = [];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      acknowledged.push(...(await killAfter(config, round, 20 + random.int(600))));
    }
    // A start recovers what was half-done; only then must the books agree.
    const node = await startNode(config, { log: () => undefined });
    try {
      const halfDone = async () =>
        (await node.catalog.reservedJoins(Number.MAX_SAFE_INTEGER, 1)).length +
        (await node.catalog.contestsToEnd(1)).length +
        (await node.catalog.outbox(1)).length;
      while ((await halfDone()) > 0) await Bun.sleep(20);
      const saves = acknowledged.filter((line) => line.kind === "save");
      const [open] = await node.catalog.matches({ limit: 1, states: ["upcoming"] });
      for (const { user, team, version, roster } of saves) {
        const versions = await node.game.teams.versions(user as UserId, open!.id as MatchId, teamNo(team));
        const stored = versions.find((row) => row.version === version);
        expect(stored && Buffer.from(stored.roster).toString("hex")).toBe(roster);
      }
      for (const { user, contest, entry } of acknowledged.filter((line) => line.kind === "join")) {
        const entries = await node.catalog.entriesOfUser(user as UserId, open!.id);
        expect(entries.some((row) => row.contestId === contest && row.entryId === (entry as EntryId))).toBe(true);
      }
      for (const { contest, entryCount } of acknowledged.filter((line) => line.kind === "cancel")) {
        expect(await node.catalog.contest(contest as ContestId)).toMatchObject({ state: "cancelled" });
        expect(await node.catalog.entryCount(contest as ContestId)).toBe(entryCount);
      }
      // Nobody lost or won a paisa: what a wallet has not is what its entries cost.
      const contests = new Map((await node.catalog.contests(open!.id)).map((contest) => [contest.id, contest]));
      for (let id = 1; id <= ROUNDS * USERS_PER_ROUND; id++) {
        const user = userId(id);
        if ((await node.catalog.user(user)) === null) continue;
        const lines = await node.ledger.history(userAccount(user), { limit: 1_000 });
        if (lines.length === 0) continue;
        const entries = await node.catalog.entriesOfUser(user, open!.id);
        const costs = entries.map(({ contestId, feePaise }) =>
          contests.get(contestId)!.state === "cancelled" ? 0 : feePaise,
        );
        const spentPaise = costs.reduce<number>((sum, cost) => sum + cost, 0);
        expect(lines[0]!.balanceAfterPaise + spentPaise).toBe(rupees(1_000));
      }
      for (const contest of contests.values()) expect(contest.seatsTaken).toBeLessThanOrEqual(contest.entriesMax);
    } finally {
      await node.stop();
    }

    const stores = await openStores(config);
    try {
      const known = new Set<string>();
      for (const match of new Set(acknowledged.flatMap((line) => (line.kind === "event" ? [line.match] : [])))) {
        const batch = await stores.log.read("score-events", partitionOf("score-events", match), 0, 1 << 28, 0);
        forEachRecord(batch, (value) => {
          const record = decodeScoreRecord(value);
          if (record.kind === "event") known.add(`${record.matchId} ${record.event.id} ${record.event.version}`);
        });
      }
      for (const line of acknowledged) {
        if (line.kind === "event") expect(known).toContain(`${line.match} ${line.id} ${line.version}`);
      }
      const boardCounts = (match: Match) => announcedEntries(stores.log, match);
      const report = await reconcile({ ...stores, boardCounts, settlementRows: [], ...limits.reconcile });
      expect(report.differences).toEqual([]);
      expect(report.checked.entries).toBeGreaterThan(0);
    } finally {
      await stores.close();
    }
    expect(new Set(acknowledged.map(({ kind }) => kind)).size).toBe(4);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}, 240_000);
