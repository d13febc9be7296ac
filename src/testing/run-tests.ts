/**
 * Runs every suite with `bun test` and ends with the one line that people and CI read, `N passed, N failed, N skipped`,
 * because bun's own summary goes to stderr in another form. Arguments are handed on: a path or `-t name` narrows the run.
 *
 * Servers that `make services` started are found by build/services.env, unless the environment names others. Before the last line
 * stands one for each real engine; those that REQUIRE_ENGINES lists (kafka,redis,…) must have run, or the run has failed. So must
 * the suites that REQUIRE_SUITES lists.
 */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { enginesMissed, enginesRun, suitesMissed, tellEngine } from "./engines-run.ts";
import { serviceVariables } from "./services.ts";

const reportFile = "test-output/junit.xml";
mkdirSync("test-output", { recursive: true });
rmSync(reportFile, { force: true });

const env = { ...serviceVariables(), ...process.env };
const run = Bun.spawnSync(
  [
    process.execPath,
    "test",
    // Bun reads no timeout from bunfig.toml; a whole match on a busy machine takes longer than its 5 s.
    "--timeout=60000",
    "--reporter=junit",
    `--reporter-outfile=${reportFile}`,
    ...process.argv.slice(2),
  ],
  { stdio: ["ignore", "inherit", "inherit"], env },
);

const report = readReport();
const engines = enginesRun(report);
for (const engine of engines) console.log(tellEngine(engine, env));
const missed = [
  ...enginesMissed(env["REQUIRE_ENGINES"] ?? "", engines),
  ...suitesMissed(env["REQUIRE_SUITES"] ?? "", report),
];
if (missed.length > 0) console.log(`required, and did not run: ${missed.join(", ")}`);

const { tests, failures, skipped } = countsOf(report);
// A run that could not load a file, or that wrote no report, has failed whatever it counted.
const crashed = run.exitCode !== 0 && failures === 0 ? 1 : 0;
const failed = failures + crashed + missed.length;
console.log(`${tests - failures - skipped} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed === 0 && tests > 0 ? 0 : 1);

function readReport(): string {
  try {
    return readFileSync(reportFile, "utf8");
  } catch {
    return "";
  }
}

function countsOf(report: string): { tests: number; failures: number; skipped: number } {
  const root = /<testsuites [^>]*>/.exec(report)?.[0] ?? "";
  const count = (name: string) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(root)?.[1] ?? 0);
  return { tests: count("tests"), failures: count("failures"), skipped: count("skipped") };
}
