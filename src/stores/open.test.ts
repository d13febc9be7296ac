import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig, type StoreUrls, testConfig } from "../config.ts";
import { Metrics } from "../metrics.ts";
import { openHotStore, openStores } from "./open.ts";

const root = mkdtempSync(join(tmpdir(), "stores-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const none: StoreUrls = { eventLog: null, hotStore: null, catalog: null, teamStore: null, ledger: null };

/** What a start with these URLs is refused with. */
async function refusal(urls: Partial<StoreUrls>): Promise<string> {
  const config = { ...testConfig(join(root, crypto.randomUUID())), stores: { ...none, ...urls } };
  const awayGauge = new Metrics().gauge("away", "away");
  const open = async () => {
    const hotStore = await openHotStore(config, { clock: { nowMs: Date.now }, awayGauge, log: () => undefined });
    const stores = await openStores(config).finally(() => hotStore.close());
    await stores.close();
  };
  return open().then(
    () => "it started",
    (error: unknown) => (error as Error).message,
  );
}

const postgres = (url: string) => ({ url, userUrls: [], replicaUrls: [] });

test.each([
  ["EVENT_LOG_URL", "127.0.0.1:1", { eventLog: "kafka://127.0.0.1:1/game" }],
  ["HOT_STORE_URL", "127.0.0.1:1", { hotStore: "redis://127.0.0.1:1/0" }],
  ["CATALOG_URL", "127.0.0.1:1", { catalog: postgres("postgres://game:secret@127.0.0.1:1/game") }],
  ["TEAM_STORE_URL", "127.0.0.1:1", { teamStore: "cassandra://127.0.0.1:1/game" }],
  ["LEDGER_URL", "127.0.0.1:1", { ledger: "aerospike://127.0.0.1:1/game" }],
] as const)(
  "%s of a server that is not there: the start is refused with the address and what to do",
  async (variable, address, urls) => {
    const message = await refusal(urls);
    expect(message).toContain(variable);
    expect(message).toContain(address);
    expect(message).toMatch(/check|start|make services|set |is it/i);
    expect(message).not.toContain("secret");
  },
);

test.each([
  ["EVENT_LOG_URL", { eventLog: "http://localhost:9092/game" }],
  ["HOT_STORE_URL", { hotStore: "memcached://localhost" }],
  ["CATALOG_URL", { catalog: postgres("mysql://localhost/game") }],
  ["TEAM_STORE_URL", { teamStore: "cassandra://localhost" }],
  ["LEDGER_URL", { ledger: "aerospike://localhost" }],
] as const)("%s of another form: the start is refused with the form that it has", async (variable, urls) => {
  const message = await refusal(urls);
  expect(message).toContain(variable);
  expect(message).toMatch(/(kafka|redis|postgres|cassandra|aerospike):\/\//);
});

test("databases of users or for browsing need the catalog that they belong to", () => {
  const loaded = loadConfig({ CATALOG_REPLICA_URLS: "postgres://localhost/game" }, true);
  expect(loaded.ok ? [] : loaded.faults).toEqual([
    "CATALOG_URL: is needed beside CATALOG_USER_URLS or CATALOG_REPLICA_URLS",
  ]);
  const both = loadConfig({ CATALOG_URL: "postgres://a/g", CATALOG_USER_URLS: "postgres://b/u, postgres://c/u" }, true);
  expect(both.ok && both.config.stores.catalog?.userUrls).toEqual(["postgres://b/u", "postgres://c/u"]);
});
