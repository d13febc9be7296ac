import { expect, test } from "bun:test";
import { SharedRuns } from "./shared-runs.ts";

test("who asks during a run shares the next; a run that fails fails those who share it and nobody else", async () => {
  const runs: PromiseWithResolvers<void>[] = [];
  const shared = new SharedRuns(() => {
    const run = Promise.withResolvers<void>();
    runs.push(run);
    return run.promise;
  });
  const first = shared.run();
  const [second, third] = [shared.run(), shared.run()];
  expect(runs).toHaveLength(1);
  runs[0]!.reject(new Error("away"));
  await expect(first).rejects.toThrow("away");
  while (runs.length < 2) await Bun.sleep(0);
  const fourth = shared.run();
  runs[1]!.resolve();
  await Promise.all([second, third]);
  while (runs.length < 3) await Bun.sleep(0);
  runs[2]!.resolve();
  await fourth;
  expect(runs).toHaveLength(3);
  const fifth = shared.run();
  expect(runs).toHaveLength(4);
  runs[3]!.resolve();
  await fifth;
});
