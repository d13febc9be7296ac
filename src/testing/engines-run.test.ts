import { expect, test } from "bun:test";
import { enginesMissed, enginesRun, suitesMissed, tellEngine } from "./engines-run.ts";

const REPORT = `<testsuites name="bun test" tests="6" failures="1" skipped="2">
  <testcase name="acks" classname="event log: kafka" file="src/stores/event-log/kafka.test.ts" line="1" />
  <testcase name="orders" classname="event log: kafka" file="src/stores/event-log/kafka.test.ts" line="2">
    <failure type="AssertionError" />
  </testcase>
  <testcase name="loads" classname="event log: kafka" file="src/stores/event-log/kafka.test.ts" line="3"><skipped /></testcase>
  <testcase name="expires" classname="hot store: Redis" file="src/stores/hot-store/engines.test.ts" line="4" />
  <testcase name="sums" classname="ledger: aerospike" file="src/stores/ledger/aerospike.test.ts" line="5">
    <skipped />
  </testcase>
  <testcase name="beside postgres" classname="" file="bench/money/postgres.test.ts" line="6" />
</testsuites>`;

test("a report tells which engines were asked, and by how many tests", () => {
  const runs = enginesRun(REPORT);
  expect(runs).toEqual([
    { engine: "redis", ports: ["hot-store"], ran: 1, skipped: 0 },
    { engine: "postgres", ports: [], ran: 0, skipped: 0 },
    { engine: "kafka", ports: ["event-log"], ran: 2, skipped: 1 },
    { engine: "cassandra", ports: [], ran: 0, skipped: 0 },
    { engine: "aerospike", ports: [], ran: 0, skipped: 1 },
  ]);
  const env = { TEST_POSTGRES_URL: "postgres://here", TEST_AEROSPIKE_URL: "aerospike://gone" };
  const missing = (engine: string) => (engine === "aerospike" ? "no Aerospike server" : null);
  expect(runs.map((run) => tellEngine(run, env, missing))).toEqual([
    "engine redis     1 tests of hot-store",
    "engine postgres  did not run: no test of it was part of this run",
    "engine kafka     2 tests of event-log, 1 skipped",
    "engine cassandra did not run: TEST_CASSANDRA_URL is not set; `make services` starts a server",
    "engine aerospike did not run: 1 tests skipped, no server answered at aerospike://gone; no Aerospike server",
  ]);
});

test("what is required and did not run is missed, a name that nobody knows as well", () => {
  const runs = enginesRun(REPORT);
  expect(enginesMissed("kafka,redis", runs)).toEqual([]);
  expect(enginesMissed("kafka,cassandra,aerospike,oracle", runs)).toEqual(["cassandra", "aerospike", "oracle"]);
  expect(enginesMissed("", enginesRun(""))).toEqual([]);
});

test("a suite that was skipped or is not there is missed", () => {
  expect(suitesMissed("event log: kafka,hot store: Redis", REPORT)).toEqual([]);
  expect(suitesMissed("ledger: aerospike,a cluster", REPORT)).toEqual(["ledger: aerospike", "a cluster"]);
  expect(suitesMissed("", "")).toEqual([]);
});
