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
