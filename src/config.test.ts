import { expect, test } from "bun:test";
import { hostname } from "node:os";
import { loadConfig } from "./config.ts";
import { DEV_SECRETS } from "./edge/secrets.ts";

const production = {
  JWT_SECRET: "a-jwt-secret-0123456789-0123456789-0123456789",
  FEED_SECRET: "a-feed-secret-0123456789-0123456789-0123456789",
  PAYMENT_URL: "https://payments.example",
  PAYMENT_KEY_ID: "key",
  PAYMENT_KEY_SECRET: "secret",
  PAYMENT_WEBHOOK_SECRET: "a-webhook-secret-0123456789-0123456789-0123",
};

const faultsOf = (env: Record<string, string | undefined>, dev = false): readonly string[] => {
  const result = loadConfig(env, dev);
  return result.ok ? [] : result.faults;
};

test("a complete environment starts without --dev, an empty one only with it", () => {
  expect(faultsOf(production)).toEqual([]);
  expect(faultsOf({}, true)).toEqual([]);
  expect(faultsOf({}).map((fault) => fault.split(":")[0])).toEqual([
    "JWT_SECRET",
    "FEED_SECRET",
    "PAYMENT_WEBHOOK_SECRET",
    "PAYMENT_URL",
  ]);
});

const cluster = { EVENT_LOG_URL: "kafka://localhost:9092/game" };

test("only a node of a cluster needs the cluster's secret", () => {
  expect(faultsOf({ ...production, ...cluster })).toEqual([
    "CLUSTER_SECRET: the cluster secret is missing; set at least 32 random characters, or start with --dev",
  ]);
  const secret = "a-cluster-secret-0123456789-0123456789-0123456789";
  expect(faultsOf({ ...production, ...cluster, CLUSTER_SECRET: secret })).toEqual([]);
  expect(faultsOf(cluster, true)).toEqual([]);
});

test("a node is named by its machine and port, the same after every restart, unless it has a name", () => {
  const idOf = (env: Record<string, string>) => {
    const result = loadConfig(env, true);
    return result.ok ? result.config.nodeId : null;
  };
  expect(idOf({ PORT: "4001" })).toBe(`${hostname()}:4001`);
  expect(idOf({ NODE_ID: "mumbai-3" })).toBe("mumbai-3");
});

test.each<[string, Record<string, string | undefined>, string]>([
  ["the published secret", { JWT_SECRET: DEV_SECRETS.jwt }, "JWT_SECRET: the jwt secret is a development secret"],
  ["a short secret", { FEED_SECRET: "short" }, "FEED_SECRET: the feed secret has less than 32 bytes"],
  ["one secret for both", { FEED_SECRET: production.JWT_SECRET }, "FEED_SECRET: the feed secret is used twice"],
  ["half a payment provider", { PAYMENT_KEY_ID: undefined }, "set all three or none"],
  ["a port that is none", { PORT: "99999" }, "PORT: "],
  ["a name with a blank", { NODE_ID: "node 1" }, "NODE_ID: "],
  ["a peer address that is none", { PEER_URL: "redis://nowhere" }, "PEER_URL: "],
  ["a peer address to no port", { PEER_URL: "http://node:1" }, "PEER_PORT: "],
  [
    "the cluster's secret for all",
    { ...cluster, CLUSTER_SECRET: production.JWT_SECRET },
    "CLUSTER_SECRET: the cluster",
  ],
  ["a payment address that is none", { PAYMENT_URL: "nowhere" }, "PAYMENT_URL: "],
])("%s is refused with the variable's name", (_name, change, sentence) => {
  expect(faultsOf({ ...production, ...change }).join("; ")).toContain(sentence);
});

test("operators are answered on this machine alone, at a port that follows from the node's, unless they say otherwise", () => {
  const opsOf = (env: Record<string, string>) => {
    const result = loadConfig(env, true);
    return result.ok ? [result.config.opsHost, result.config.opsPort] : result.faults.join();
  };
  expect(opsOf({})).toEqual(["127.0.0.1", 13_000]);
  expect(opsOf({ PORT: "3001" })).toEqual(["127.0.0.1", 13_001]);
  expect(opsOf({ PORT: "0" })).toEqual(["127.0.0.1", 0]);
  expect(opsOf({ OPS_PORT: "9464", OPS_HOST: "0.0.0.0" })).toEqual(["0.0.0.0", 9464]);
  expect(opsOf({ PORT: "60000" })).toContain("OPS_PORT");
  expect(opsOf({ PORT: "60000", OPS_PORT: "1" })).toEqual(["127.0.0.1", 1]);
  expect(opsOf({ LOG_FORMAT: "xml" })).toContain("LOG_FORMAT");
});
