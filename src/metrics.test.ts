import { expect, test } from "bun:test";
import { Metrics } from "./metrics.ts";

test("counters add up, gauges stand where they were set, each by its labels, in Prometheus's text", () => {
  const metrics = new Metrics();
  const joins = metrics.counter("powerplay_joins_total", "Joins by outcome.");
  joins.add({ outcome: "entered" });
  joins.add({ outcome: "entered" }, 2);
  metrics.counter("powerplay_joins_total", "Joins by outcome.").add({ outcome: 'a "refusal"' });
  const differences = metrics.gauge("powerplay_differences", "Differences.");
  differences.set(4);
  differences.set(0);
  expect(metrics.text()).toBe(
    [
      "# HELP powerplay_scrape_failures_total Numbers that could not be had when asked for, by metric.",
      "# TYPE powerplay_scrape_failures_total counter",
      "# HELP powerplay_joins_total Joins by outcome.",
      "# TYPE powerplay_joins_total counter",
      'powerplay_joins_total{outcome="entered"} 3',
      'powerplay_joins_total{outcome="a \\"refusal\\""} 1',
      "# HELP powerplay_differences Differences.",
      "# TYPE powerplay_differences gauge",
      "powerplay_differences 0",
      "",
    ].join("\n"),
  );
});

test("a histogram counts what is at or below each bound, for each set of labels", () => {
  const metrics = new Metrics();
  const save = metrics.histogram("save_seconds", "Saves.", [0.1, 0.3]);
  for (const seconds of [0.1, 0.05, 0.2, 7]) save.observe(seconds);
  const rare = save.of({ region: "south" });
  rare.observe(0.3);
  expect(metrics.text().split("\n").slice(2)).toEqual([
    "# HELP save_seconds Saves.",
    "# TYPE save_seconds histogram",
    'save_seconds_bucket{le="0.1"} 2',
    'save_seconds_bucket{le="0.3"} 3',
    'save_seconds_bucket{le="+Inf"} 4',
    "save_seconds_sum 7.35",
    "save_seconds_count 4",
    'save_seconds_bucket{region="south",le="0.1"} 0',
    'save_seconds_bucket{region="south",le="0.3"} 1',
    'save_seconds_bucket{region="south",le="+Inf"} 1',
    'save_seconds_sum{region="south"} 0.3',
    'save_seconds_count{region="south"} 1',
    "",
  ]);
});

test("whoever has a number is asked when somebody looks; one who can't say is left out, and counted", async () => {
  const metrics = new Metrics();
  let sockets = 3;
  let isAway = false;
  metrics.gaugeRead("sockets", "Sockets.", () => sockets);
  metrics.gaugeRead("lag", "Lag.", async () => {
    if (isAway) throw new Error("the log is away");
    return [[{ topic: "team-saves" }, 12]];
  });
  expect((await metrics.scrape()).split("\n")).toEqual(
    expect.arrayContaining(["sockets 3", 'lag{topic="team-saves"} 12']),
  );
  sockets = 4;
  isAway = true;
  const told = await metrics.scrape();
  expect(told).toContain("sockets 4\n");
  expect(told).toContain("# TYPE lag gauge\n");
  expect(told).not.toContain("lag{");
  expect(told).toContain('powerplay_scrape_failures_total{metric="lag"} 1');
});

test("one who never answers keeps nobody waiting for long", async () => {
  const metrics = new Metrics({ refreshMsMax: 1 });
  metrics.gaugeRead("stuck", "Stuck.", () => new Promise(() => undefined));
  metrics.gauge("other", "Other.").set(1);
  expect(await metrics.scrape()).toContain("other 1\n");
  expect(metrics.text()).toContain('powerplay_scrape_failures_total{metric="stuck"} 1');
});

test("a name is of one type", () => {
  const metrics = new Metrics();
  metrics.counter("balls", "Balls.");
  expect(() => metrics.gauge("balls", "Balls.")).toThrow("balls is a counter already");
});
