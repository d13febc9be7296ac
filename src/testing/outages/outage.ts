import type { Asked, Kind, OutageLoad, Phase } from "./outage-load.ts";

/** How long a server is away; `make test-outages` takes a minute. */
export const OUTAGE_MS = Number(process.env["OUTAGE_MS"] ?? 8_000);

/** The outage's own length, which is what is tested. */
export const awayFor = (ms: number): Promise<void> => Bun.sleep(ms);

/** "503 store_unavailable" if all are that and say when to come again; else what they are. */
export function refusedClearly(refused: readonly Asked[]): string {
  const kinds = refused.map(({ status, code, retryAfterSeconds }) =>
    status === 503 && retryAfterSeconds === null ? "503 without Retry-After" : `${status} ${code}`,
  );
  return [...new Set(kinds)].sort().join(", ");
}

const KINDS: readonly Kind[] = ["save", "join", "ball", "ranks", "teams"];
const PHASES: readonly Phase[] = ["before", "away", "back"];

/** What was asked in each phase, what came of it and how long it took. */
export function told(load: OutageLoad): string {
  const lines = KINDS.flatMap((kind) =>
    PHASES.map((phase) => {
      const asked = load.in(phase, kind);
      const taken = asked.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
      const at = (share: number) =>
        (taken[Math.min(taken.length - 1, Math.floor(share * taken.length))] ?? 0).toFixed(0);
      const counts = Map.groupBy(asked, ({ status, code }) => (code === null ? `${status}` : `${status} ${code}`));
      const answers = Array.from(counts, ([answer, { length }]) => `${length} × ${answer}`).join(", ");
      return `  ${kind.padEnd(5)} ${phase.padEnd(6)} p50 ${at(0.5)} p99 ${at(0.99)} max ${at(1)} ms: ${answers}`;
    }),
  );
  return lines.join("\n");
}
