/**
 * Runs every suite with `bun test` and ends with the one line that people and CI read, `N passed, N failed, N skipped`,
 * because bun's own summary goes to stderr in another form. Arguments are handed on: a path or `-t name` narrows the run.
 */
import { mkdirSync, readFileSync, rmSync } from "node:fs";

const reportFile = "test-output/junit.xml";
mkdirSync("test-output", { recursive: true });
rmSync(reportFile, { force: true });

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
  { stdio: ["ignore", "inherit", "inherit"] },
);

const { tests, failures, skipped } = readCounts();
// A run that could not load a file, or that wrote no report, has failed whatever it counted.
const crashed = run.exitCode !== 0 && failures === 0 ? 1 : 0;
console.log(`${tests - failures - skipped} passed, ${failures + crashed} failed, ${skipped} skipped`);
process.exit(run.exitCode === 0 && tests > 0 ? 0 : 1);

function readCounts(): { tests: number; failures: number; skipped: number } {
  let report = "";
  try {
    report = readFileSync(reportFile, "utf8");
  } catch {
    return { tests: 0, failures: 0, skipped: 0 };
  }
  const root = /<testsuites [^>]*>/.exec(report)?.[0] ?? "";
  const count = (name: string) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(root)?.[1] ?? 0);
  return { tests: count("tests"), failures: count("failures"), skipped: count("skipped") };
}
