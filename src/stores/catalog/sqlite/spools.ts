import type { Database } from "bun:sqlite";

export function spoolWrites(db: Database) {
  const open = db.query<null, [string]>("INSERT OR IGNORE INTO spools VALUES (?)");
  const close = db.query<null, [string]>("DELETE FROM spools WHERE node_id = ?");
  return {
    openSpool(nodeId: string): void {
      open.run(nodeId);
    },
    closeSpool(nodeId: string): void {
      close.run(nodeId);
    },
  };
}

export function spoolReads(db: Database) {
  const all = db.query<{ node_id: string }, []>("SELECT node_id FROM spools ORDER BY node_id");
  return { openSpools: (): string[] => all.all().map((row) => row.node_id) };
}
