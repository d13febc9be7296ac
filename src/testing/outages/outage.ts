import { expect } from "bun:test";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StoreUrls } from "../../config.ts";
import { type Service, type ServiceName, startService } from "../services.ts";
import { judge } from "./outage-judge.ts";
import { type Asked, type Kind, OutageLoad, type Phase } from "./outage-load.ts";
import { OutageStage } from "./outage-stage.ts";

/** How long a server is away; `make test-outages` takes a minute. */
export const OUTAGE_MS = Number(process.env["OUTAGE_MS"] ?? 10_000);
const POLL_MS = 5;
const DUE_BALLS = 20;

/** The outage's own length, which is what is tested. */
export const awayFor = (ms: number): Promise<void> => Bun.sleep(ms);

/** Resolves when it is so, with the seconds that took. */
export async function secondsUntil(isSo: () => Promise<boolean>): Promise<string> {
  const beganMs = performance.now();
  while (!(await isSo())) await Bun.sleep(POLL_MS);
  return ((performance.now() - beganMs) / 1_000).toFixed(1);
}

export interface Scene {
  readonly server: Service;
  readonly stage: OutageStage;
  readonly load: OutageLoad;
}

export interface Outage {
  readonly stores: (server: Service) => Partial<StoreUrls>;
  /** Ends when the server is back; answers what it measured, in words. */
  readonly during: (scene: Scene) => Promise<string>;
  readonly after: (scene: Scene) => void;
}

/**
 * One outage of a server that is this test's own, under load from before it until after it. Then the match whose deadline
 * passed is played a little, everything is waited for, and the judges have the word.
 */
export async function withServer(name: ServiceName, { stores, during, after }: Outage): Promise<void> {
  const directory = join(tmpdir(), `powerplay-outage-${crypto.randomUUID()}`);
  const server = await startService(name, { directory });
  try {
    const stage = await OutageStage.open(stores(server));
    const load = new OutageLoad(stage);
    try {
      const measured = await during({ server, stage, load });
      await load.stop();
      const caughtUp = await secondsUntil(async () => (await stage.leftToDo()) === 0);
      await stage.passDeadline();
      for (const event of stage.events.slice(0, DUE_BALLS)) {
        while (!(await load.postBall(stage.due.match.id, event))) await Bun.sleep(POLL_MS);
      }
      for (const { match } of [stage.due, stage.live]) await stage.node.pointsSettled(match.id);
      await secondsUntil(async () => (await stage.leftToDo()) === 0);
      after({ server, stage, load });
      const verdict = await judge(stage, load);
      console.log(
        `  back: ${measured}; nothing left to do ${caughtUp} s after the load; ` +
          `said twice in the log: ${verdict.repeatedSaves} saves, ${verdict.repeatedBalls} balls`,
      );
      expect(verdict.violations).toEqual([]);
    } finally {
      load.closeSocket();
      await load.stop();
      await stage.close();
    }
  } finally {
    await server.remove();
    await rm(directory, { recursive: true, force: true });
  }
}

/** While the server was away, there were some, and none was refused. */
export function expectServed(load: OutageLoad, kind: Kind): void {
  const away = load.in("away", kind);
  expect(away.length).toBeGreaterThan(0);
  expect(away.filter(({ status }) => status !== 200)).toEqual([]);
}

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
