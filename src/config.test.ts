import { expect, test } from "bun:test";
import { DEV_SECRETS, loadConfig } from "./config.ts";

const production = {
  JWT_SECRET: "j".repeat(40),
  FEED_SECRET: "f".repeat(40),
  PAYMENT_URL: "https://payments.example",
  PAYMENT_KEY_ID: "key",
  PAYMENT_KEY_SECRET: "secret",
  PAYMENT_WEBHOOK_SECRET: "webhook",
};

const faultsOf = (env: Record<string, string | undefined>, dev = false): readonly string[] => {
  const result = loadConfig(env, dev);
  return result.ok ? [] : result.faults;
};

test("a complete environment starts without --dev, an empty one only with it", () => {
  expect(faultsOf(production)).toEqual([]);
  expect(faultsOf({}, true)).toEqual([]);
  expect(faultsOf({}).map((fault) => fault.split(":")[0])).toEqual(["JWT_SECRET", "FEED_SECRET", "PAYMENT_URL"]);
});

test.each<[string, Record<string, string | undefined>, string]>([
  ["the published secret", { JWT_SECRET: DEV_SECRETS.jwtSecret }, "JWT_SECRET: is the published development secret"],
  ["a short secret", { FEED_SECRET: "short" }, "FEED_SECRET: has 5 characters"],
  ["one secret for both", { FEED_SECRET: production.JWT_SECRET }, "FEED_SECRET: is the same as JWT_SECRET"],
  ["half a payment provider", { PAYMENT_KEY_ID: undefined }, "set all four or none"],
  ["a port that is none", { PORT: "99999" }, "PORT: "],
  ["a payment address that is none", { PAYMENT_URL: "nowhere" }, "PAYMENT_URL: "],
])("%s is refused with the variable's name", (_name, change, sentence) => {
  expect(faultsOf({ ...production, ...change }).join("; ")).toContain(sentence);
});
