import type { EventLog } from "../stores/event-log/port.ts";

export interface SimulatedGroup {
  /** The log as one member has it. */
  member(name: string): EventLog;
  /** Each member that is named hears what it has from now on; others keep what they had. Two may have the same partition. */
  give(partitions: Readonly<Record<string, readonly number[]>>): void;
  /** Members that joined and have not left, in order of joining. */
  readonly members: readonly string[];
}

/** A log whose partitions several nodes of a test share; the test alone decides who has which. */
export function openSimulatedGroup(log: EventLog): SimulatedGroup {
  const listeners = new Map<string, (partitions: readonly number[]) => void>();
  return {
    member: (name) => ({
      ...log,
      async share(_topic, _group, onOwned) {
        listeners.set(name, onOwned);
        return async () => void listeners.delete(name);
      },
    }),
    give(partitions) {
      for (const [name, owned] of Object.entries(partitions)) listeners.get(name)?.(owned);
    },
    get members() {
      return [...listeners.keys()];
    },
  };
}
