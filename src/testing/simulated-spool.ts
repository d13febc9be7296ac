import type { SpooledRecord } from "../stores/event-log/sqlite/spool-engine.ts";
import type { SpoolStore } from "../stores/event-log/spool-store.ts";

/** The port's law over an array. */
export function openSimulatedSpool(): SpoolStore {
  let records: SpooledRecord[] = [];
  let newestSeq = 0;
  return {
    async append(user, value) {
      records.push({ seq: ++newestSeq, user, value: value.slice() });
      return newestSeq;
    },
    async forget(fromSeq, throughSeq) {
      records = records.filter(({ seq }) => seq < fromSeq || seq > throughSeq);
    },
    head: async (limit) => records.slice(0, limit),
    ofUser: async (user) => records.filter((record) => record.user === user),
    users: async () =>
      [...new Set(records.map(({ user }) => user))].map((user) => {
        const own = records.filter((record) => record.user === user);
        return { user, count: own.length, newestSeq: own.at(-1)!.seq };
      }),
    close: async () => undefined,
  };
}
