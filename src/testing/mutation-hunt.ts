/**
 * Plants one mutation in a process of its own and plays seeds until a checker finds it. Prints a `Hunt` as JSON.
 *
 *   bun mutation-hunt.ts <mutation's index> <seeds at most>
 */
import { join } from "node:path";
import { type Mutation, MUTATIONS } from "./mutations.ts";

export interface Hunt {
  /** null: not found. */
  readonly seed: number | null;
  /** What the checkers said of it. */
  readonly sentences: readonly string[];
}

const ROOT = join(import.meta.dir, "../..");

/** From here on the file is loaded with the bug in it. One that is not where it is looked for is an error, not a pass. */
export function plant(mutation: Mutation): void {
  if ("seams" in mutation) return;
  const file = join(ROOT, mutation.file);
  void Bun.plugin({
    name: "mutation",
    setup(build) {
      build.onLoad({ filter: new RegExp(`${mutation.file.replaceAll(".", String.raw`\.`)}$`) }, async () => {
        const source = await Bun.file(file).text();
        if (source.split(mutation.find).length !== 2)
          throw new Error(`${mutation.file} has not one "${mutation.find}"`);
        return { contents: source.replace(mutation.find, () => mutation.replace), loader: "ts" };
      });
    },
  });
}

async function hunt(mutation: Mutation, seedsMax: number): Promise<Hunt> {
  plant(mutation);
  // Loaded only now, so that the bug is in it.
  const { simulate } = await import("./simulation.ts");
  const { violationsOf } = await import("./checkers.ts");
  for (let seed = 1; seed <= seedsMax; seed++) {
    const outcome = simulate(seed, "seams" in mutation ? mutation.seams : {});
    const sentences = await violationsOf(outcome);
    await outcome.close();
    if (sentences.length > 0) return { seed, sentences: sentences.slice(0, 3) };
  }
  return { seed: null, sentences: [] };
}

if (import.meta.main) {
  const [index, seedsMax] = process.argv.slice(2).map(Number);
  console.log(JSON.stringify(await hunt(MUTATIONS[index!]!, seedsMax!)));
}
