import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { entryId, teamNo, userId } from "../domain/ids.ts";
import { seededRandom } from "../domain/random.ts";
import { afterMs } from "../repeat.ts";
import { openSpoolStore } from "../stores/event-log/spool-store.ts";
import { StoreUnavailable } from "../stores/unavailable.ts";
import { openSimulatedCatalog } from "../testing/simulated-catalog.ts";
import { openSimulatedEventLog } from "../testing/simulated-event-log.ts";
import { aMatch, randomDraft, SQUAD, START_MS } from "../testing/simulated-game.ts";
import { openSimulatedHotStore } from "../testing/simulated-hot-store.ts";
import { openSimulatedTeamStore } from "../testing/simulated-team-store.ts";
import { MatchCache } from "./match-cache.ts";
import { SaveFence } from "./save-fence.ts";
import { SaveSpool } from "./save-spool.ts";
import { TeamSaves } from "./team-saves.ts";
import { asSpooled } from "./records.ts";

test("a team saved while the log is away is one's team at once, without a version", async () => {
  const directory = await mkdtemp(join(tmpdir(), "powerplay-saves-"));
  const file = join(directory, "spool.sqlite");
  const clock = { nowMs: () => START_MS - 5_000 };
  const catalog = openSimulatedCatalog();
  const log = openSimulatedEventLog();
  const hotStore = openSimulatedHotStore(clock);
  const teamStore = openSimulatedTeamStore();
  const { id } = await catalog.createMatch(aMatch(START_MS));
  await catalog.putSquad(id, SQUAD);
  const fence = new SaveFence({ catalog, log, clock, clockSkewMsMax: 100, matchesMax: 10 });
  const state = { away: false };
  const saves = new SaveSpool({
    log: {
      async append(...record) {
        if (state.away) throw new StoreUnavailable("EventLog", "away");
        return log.append(...record);
      },
    },
    catalog,
    fence,
    nodeId: "node",
    store: { exists: existsSync(file), open: () => openSpoolStore({ file, pendingMax: 100 }) },
    spoolAfterMs: 10_000,
    marked: asSpooled,
    recordsMax: 100,
    batchRecords: 10,
    retryMs: 1,
    onTrouble: () => undefined,
    onCount: () => undefined,
    after: afterMs,
  });
  await saves.start();
  const teams = new TeamSaves({
    saves,
    hotStore,
    teamStore,
    matches: new MatchCache(catalog, { matchesMax: 10, ttlMs: 1_000 }),
    clock,
    fence,
    currentTeamTtlMs: 60_000,
    materialised: async () => undefined,
  });
  const random = seededRandom(5);
  const drafts = [randomDraft(random), randomDraft(random), randomDraft(random)] as const;
  const user = userId(3);
  const saved = async (team: number, draft: (typeof drafts)[number]) => {
    const result = await teams.save(user, id, teamNo(team), draft);
    if (!result.ok) throw new Error(result.refusal);
    return result.team;
  };
  try {
    const first = await saved(1, drafts[0]);
    expect(first.version).toBe(1);
    const { roster, savedAtMs, version } = first;
    await teamStore.appendTeams(3, [{ matchId: id, entryId: entryId(user, teamNo(1)), version, savedAtMs, roster }], 1);
    state.away = true;
    const newer = await saved(1, drafts[1]);
    const other = await saved(2, drafts[2]);
    expect([newer.version, other.version]).toEqual([0, 0]);
    expect(await teams.list(user, id)).toEqual([newer, other]);
    expect(await teams.versions(user, id, teamNo(1))).toEqual([first, newer]);
    hotStore.forget();
    expect(await teams.exists(user, id, teamNo(2))).toBe(true);
    expect(await teams.exists(user, id, teamNo(3))).toBe(false);
    state.away = false;
    while ((await catalog.openSpools()).length > 0) await Bun.sleep(1);
    expect(await log.endOffset("team-saves", 3)).toBe(3);
    expect(await teams.list(user, id)).toEqual([first]);
  } finally {
    await saves.stop();
    await rm(directory, { recursive: true });
  }
});
