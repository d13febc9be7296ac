/** The only source of time. Server UTC milliseconds; a simulation hands in its own. */
export interface Clock {
  nowMs(): number;
}

export const systemClock: Clock = { nowMs: () => Date.now() };
