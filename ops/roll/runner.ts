/** How one node is stopped, started and asked. Each step resolves when it is done and throws what the operator should read. */
export interface Runner {
  /** What the steps will do, for those who only want to know. */
  readonly describe: { readonly stop: string; readonly start: string; readonly ready: string };
  /** Asks the node to drain and resolves when nothing of it is left; at once when there was nothing. */
  stop(): Promise<void>;
  /** Resolves when it has been started, which is not yet ready. */
  start(): Promise<void>;
  /** null if it takes traffic, else why not. One that will never be ready throws. */
  unready(): Promise<string | null>;
}

export interface RollLimits {
  /** A node ends its sockets over DRAIN_MS, and then what is under way. */
  readonly stopMsMax: number;
  /** The boards are attached in a second, or built again from the log. */
  readonly readyMsMax: number;
  readonly pollMs: number;
}

export const ROLL_LIMITS: RollLimits = { stopMsMax: 120_000, readyMsMax: 120_000, pollMs: 100 };
