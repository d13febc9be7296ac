import { expect, test } from "bun:test";
import { RequestFailed } from "./edge/request-failed.ts";
import { Log, type LogFormat, logFormat } from "./log.ts";

function logOf(format: LogFormat) {
  const lines: string[] = [];
  return { lines, log: new Log({ format, write: (line) => void lines.push(line), nowMs: () => 0 }) };
}

test("for a collector an event is one JSON line with level, time, message and its fields", () => {
  const { lines, log } = logOf("json");
  log.info("listening", { port: 3000 });
  log.warn("little room\nleft", { bytes: 12n });
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { time: "1970-01-01T00:00:00.000Z", level: "info", message: "listening", port: 3000 },
    { time: "1970-01-01T00:00:00.000Z", level: "warn", message: "little room\nleft", bytes: "12" },
  ]);
  expect(lines.join("")).not.toContain("\n");
});

test("an error brings its fields, its causes and where each came from", () => {
  const route = { method: "POST", path: "/v1/teams" } as const;
  const failed = new RequestFailed(route, "urn:uuid:1", new TypeError("no roster", { cause: "a typo" }));
  const { lines, log } = logOf("json");
  log.error(failed, { attempt: 2 });
  log.error("only words");
  const [told, words] = lines.map((line) => JSON.parse(line));
  expect(told).toMatchObject({
    level: "error",
    message: "POST /v1/teams failed",
    route: "POST /v1/teams",
    requestId: "urn:uuid:1",
    attempt: 2,
    error: { name: "RequestFailed", cause: { name: "TypeError", message: "no roster", cause: "a typo" } },
  });
  expect(told.error.cause.stack).toContain("log.test.ts");
  expect(words).toEqual({ time: "1970-01-01T00:00:00.000Z", level: "error", message: "only words" });
});

test("for eyes the same stands in a line, and stacks below it", () => {
  const { lines, log } = logOf("text");
  log.info("listening", { port: 3000, host: "::1" });
  log.error(new Error("outer", { cause: new RangeError("inner") }), { requestId: "7" });
  expect(lines[0]).toBe('1970-01-01T00:00:00.000Z info listening port=3000 host="::1"');
  expect(lines[1]).toStartWith('1970-01-01T00:00:00.000Z error outer requestId="7"\n');
  expect(lines[1]).toMatch(/caused by [^]*RangeError: inner/);
});

test("a terminal gets text and a pipe JSON, unless the operator says otherwise", () => {
  expect([logFormat(undefined, true), logFormat(undefined, false)]).toEqual(["text", "json"]);
  expect([logFormat("json", true), logFormat("text", false)]).toEqual(["json", "text"]);
});
