import type { Database } from "bun:sqlite";

export function identityReads(db: Database) {
  const only = db.query<{ identity: string }, []>("SELECT identity FROM identity");
  return { identity: (): string => only.get()!.identity };
}
