import type { Part } from "./meters.ts";
import type { Joined, Plan, Stage, TeamSaved } from "./workload.ts";

/** One design, with the stage set and running. */
export interface Opened {
  readonly urls: readonly string[];
  readonly stage: Stage;
  /** What takes CPU, by what it is. */
  readonly parts: Readonly<Record<string, Part>>;
  /** Resolves when nothing that was acknowledged has work left to do. */
  caughtUp(): Promise<void>;
  /** Once, when it has caught up. Throws unless each save and each join is where the design keeps it, and no money is missing. */
  check(saves: readonly TeamSaved[], joins: readonly Joined[]): Promise<void>;
  close(): Promise<void>;
}

export interface Contender {
  readonly name: string;
  readonly nodeCount: number;
  open(plan: Plan): Promise<Opened>;
}
