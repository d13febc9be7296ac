import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Real matches and published points to check against: not part of the repository, found through `$CRICKET_DATA`. */
const FOLDER = process.env["CRICKET_DATA"] ?? join(import.meta.dir, "../../../shared/data");

export const hasCricketData = existsSync(join(FOLDER, "matches"));
if (!hasCricketData) console.log(`skipping tests on real matches: no folder ${FOLDER} (set CRICKET_DATA)`);

/** Paths like "ipl/335982.json" of every match there is. */
export function cricketFiles(): string[] {
  if (!hasCricketData) return [];
  return readdirSync(join(FOLDER, "matches"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".json"))
    .sort();
}

export const readCricketFile = (path: string): unknown =>
  JSON.parse(readFileSync(join(FOLDER, "matches", path), "utf8"));

/** The rows of a file in the oracle folder, by column name. No field of theirs is quoted. */
export function readOracle(name: string): Record<string, string>[] {
  const [header = "", ...lines] = readFileSync(join(FOLDER, "oracle", name), "utf8")
    .trim()
    .split(/\r?\n/);
  const columns = header.split(",");
  return lines.map((line) => {
    const fields = line.split(",");
    return Object.fromEntries(columns.map((column, index) => [column, fields[index] ?? ""]));
  });
}
