import { ENGINES, missingService, type ServiceName } from "./services.ts";

/** What a run of all tests did with one real engine. */
export interface EngineRun {
  readonly engine: ServiceName;
  /** Tests of its stores, by their folder under src/stores. */
  readonly ports: readonly string[];
  readonly ran: number;
  readonly skipped: number;
}

/**
 * Reads from bun's JUnit report which engines were asked. A test belongs to an engine if it lies under src/stores and its file or the
 * suite that it stands in has the engine's name: `src/stores/event-log/kafka.test.ts`, `event log: kafka`.
 */
export function enginesRun(report: string): readonly EngineRun[] {
  const cases = casesOf(report).flatMap(({ file, isSkipped, suite }) => {
    const [, port] = /^src\/stores\/([^/]+)\/./.exec(file) ?? [];
    return port === undefined ? [] : [{ port, title: `${file} ${suite}`.toLowerCase(), isSkipped }];
  });
  return (Object.keys(ENGINES) as ServiceName[]).map((engine) => {
    const own = cases.filter(({ title }) => title.includes(engine));
    const ran = own.filter(({ isSkipped }) => !isSkipped);
    return {
      engine,
      ports: [...new Set(ran.map(({ port }) => port))],
      ran: ran.length,
      skipped: own.length - ran.length,
    };
  });
}

/** One line an engine: what ran, or why nothing did. `missing` says why a server can't be started here, if so. */
export function tellEngine(
  { engine, ports, ran, skipped }: EngineRun,
  env: Readonly<Record<string, string | undefined>>,
  missing: (engine: ServiceName) => string | null = missingService,
): string {
  const { variable } = ENGINES[engine];
  const name = `engine ${engine.padEnd(9)}`;
  const url = env[variable];
  const remedy = missing(engine) ?? "`make services` starts a server";
  if (ran > 0) return `${name} ${ran} tests of ${ports.join(", ")}${skipped > 0 ? `, ${skipped} skipped` : ""}`;
  if (url === undefined) return `${name} did not run: ${variable} is not set; ${remedy}`;
  if (skipped > 0) return `${name} did not run: ${skipped} tests skipped, no server answered at ${url}; ${remedy}`;
  return `${name} did not run: no test of it was part of this run`;
}

interface TestCase {
  readonly file: string;
  readonly suite: string;
  readonly isSkipped: boolean;
}

function casesOf(report: string): TestCase[] {
  return [...report.matchAll(/<testcase ([^>]*?)(?:\/>|>([^]*?)<\/testcase>)/g)].map(
    ([, attributes = "", body = ""]) => {
      const attribute = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? "";
      return { file: attribute("file"), suite: attribute("classname"), isSkipped: body.includes("<skipped") };
    },
  );
}

/** Those of a comma-separated list of suites of which a test must have run and none did. */
export function suitesMissed(required: string, report: string): readonly string[] {
  const ran = new Set(casesOf(report).flatMap(({ isSkipped, suite }) => (isSkipped ? [] : [suite])));
  return required.split(",").filter((name) => name !== "" && !ran.has(name));
}

/** Those of a comma-separated list that must have run and did not. */
export function enginesMissed(required: string, runs: readonly EngineRun[]): readonly string[] {
  const names = required.split(",").filter((name) => name !== "");
  return names.filter((name) => !runs.some(({ engine, ran }) => engine === name && ran > 0));
}
