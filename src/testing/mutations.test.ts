import { expect, test } from "bun:test";
import type { Hunt } from "./mutation-hunt.ts";
import { MUTATIONS } from "./mutations.ts";

/** Most are found by one of the first ten; the rare ones need a crash, a late copy or a full disk at the right step. */
const SEEDS_MAX = 400;

async function hunt(index: number): Promise<Hunt> {
  const child = Bun.spawn(
    [process.execPath, new URL("./mutation-hunt.ts", import.meta.url).pathname, String(index), String(SEEDS_MAX)],
    { stdout: "pipe", stderr: "inherit" },
  );
  const text = await new Response(child.stdout).text();
  expect(await child.exited).toBe(0);
  return JSON.parse(text) as Hunt;
}

// The same seeds of the code as it is break no law: they are among the thousand of simulation.test.ts.
test.each(MUTATIONS.map(({ name }, index) => [name, index] as const))(
  "the checkers find that %s",
  async (_name, index) => {
    const { seed, sentences } = await hunt(index);
    expect(seed).not.toBeNull();
    expect(seed).toBeLessThanOrEqual(SEEDS_MAX);
    expect(sentences.length).toBeGreaterThan(0);
  },
  120_000,
);
