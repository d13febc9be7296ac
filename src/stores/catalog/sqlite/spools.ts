import type { Database } from "bun:sqlite";
import type { SpoolState } from "../port.ts";

export function spoolWrites(db: Database) {
  const open = db.query<null, [string, number]>(
    `INSERT INTO spools VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET opening = excluded.opening, is_open = 1
     WHERE excluded.opening > opening`,
  );
  const state = db.query<{ opening: number; is_open: number }, [string]>(
    "SELECT opening, is_open FROM spools WHERE node_id = ?",
  );
  const close = db.query<null, [string, number]>("UPDATE spools SET is_open = 0 WHERE node_id = ? AND opening <= ?");
  return {
    openSpool({ nodeId, opening }: { readonly nodeId: string; readonly opening: number }): SpoolState {
      open.run(nodeId, opening);
      const row = state.get(nodeId)!;
      return { opening: row.opening, isOpen: row.is_open === 1 };
    },
    closeSpool({ nodeId, opening }: { readonly nodeId: string; readonly opening: number }): void {
      close.run(nodeId, opening);
    },
  };
}

export function spoolReads(db: Database) {
  const all = db.query<{ node_id: string }, []>("SELECT node_id FROM spools WHERE is_open = 1 ORDER BY node_id");
  return { openSpools: (): string[] => all.all().map((row) => row.node_id) };
}
