/**
 * Saves through a spool over the stores in `directory` until it is killed, while its log goes away and comes back; prints each
 * save once it is acknowledged: user, step, outcome. Steps of later rounds are larger.
 *
 *   bun spool-victim.ts <directory> <round>
 */
import { existsSync, writeSync } from "node:fs";
import { join } from "node:path";
import { matchId, userId } from "../domain/ids.ts";
import { afterMs } from "../repeat.ts";
import { openEmbeddedCatalog } from "../stores/catalog/embedded.ts";
import { bytesOf } from "../stores/contract.ts";
import { openEmbeddedEventLog } from "../stores/event-log/embedded.ts";
import { openSpoolStore } from "../stores/event-log/spool-store.ts";
import { StoreUnavailable } from "../stores/unavailable.ts";
import { SaveSpool } from "../stream/save-spool.ts";
import { asSpooled } from "../stream/records.ts";

const USERS = 40;
/** Saves between two changes of the log's mind. */
const MOOD_SAVES = 150;

const [directory, round] = process.argv.slice(2) as [string, string];
const at = (name: string) => ({ file: join(directory, `${name}.sqlite`), pendingMax: 10_000 });
const [catalog, log] = await Promise.all([openEmbeddedCatalog(at("catalog")), openEmbeddedEventLog(at("log"))]);
let saveCount = 0;
const spool = new SaveSpool({
  log: {
    async append(...record) {
      if (Math.floor(saveCount / MOOD_SAVES) % 2 === 0) throw new StoreUnavailable("EventLog", "away");
      return log.append(...record);
    },
  },
  catalog,
  fence: { takesSpooled: async () => true },
  nodeId: "victim",
  store: { exists: existsSync(at("spool").file), open: () => openSpoolStore(at("spool")) },
  spoolAfterMs: 60_000,
  marked: asSpooled,
  recordsMax: 1_000_000,
  batchRecords: 20,
  retryMs: 1,
  onTrouble: () => undefined,
  onCount: () => undefined,
  after: afterMs,
});
await spool.start();

const match = { id: matchId(1), startMs: 0 };

async function save(user: number): Promise<void> {
  for (let step = Number(round) * 1_000_000; ; step++) {
    const { outcome } = await spool.append(userId(user), match, bytesOf(`${user} ${step}`));
    saveCount++;
    // Synchronous: what was acknowledged must not wait in a buffer of the process that dies.
    writeSync(1, `${user} ${step} ${outcome}\n`);
  }
}

for (let user = 1; user <= USERS; user++) void save(user);
