import type { Slices } from "./slices.ts";

/**
 * Work that one node does for all. Each has a number, the same on all nodes, and is done where the slice of that number is; so
 * duties spread over nodes as slices do. Everything here may be done twice and may be late: a duty is nobody's or of two nodes
 * for moments, and what falls into such a moment is done at the next turn (of a day's work: daily-duty.ts).
 */
const DUTIES = { outbox: 0, joinRecovery: 1, withdrawals: 2, lifecycle: 3, reconciliation: 4 } as const;

export type Duty = keyof typeof DUTIES;

/** Whether it is this node's now. */
export const hasDuty = (slices: Pick<Slices, "count" | "owned">, duty: Duty): boolean =>
  slices.owned.has(DUTIES[duty] % slices.count);

/** Does the work where the duty is this node's, and nothing elsewhere. */
export const onDuty =
  (slices: Pick<Slices, "count" | "owned">, duty: Duty, work: () => Promise<unknown>) => async (): Promise<void> => {
    if (hasDuty(slices, duty)) await work();
  };
