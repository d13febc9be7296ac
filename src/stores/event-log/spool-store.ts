import { SqliteStore, type SqliteStoreOptions, type StoreCalls } from "../sqlite/store.ts";
import type { SpooledRecord } from "./sqlite/spool-engine.ts";

/** Records that this node has acknowledged and the log has not taken yet, in the order in which they came. */
export interface SpoolStore {
  /** Answers its number once it is durable; later appends have larger ones, and hear of them later. */
  append(user: number, value: Uint8Array): Promise<number>;
  /** Durable when it resolves. */
  forget(fromSeq: number, throughSeq: number): Promise<void>;
  /** The oldest. */
  head(limit: number): Promise<readonly SpooledRecord[]>;
  ofUser(user: number): Promise<readonly SpooledRecord[]>;
  users(): Promise<readonly { readonly user: number; readonly count: number; readonly newestSeq: number }[]>;
  close(): Promise<void>;
}

export const openSpoolStore = async (options: SqliteStoreOptions): Promise<SpoolStore> =>
  spoolOver(await SqliteStore.open("EventLog", "spool", options));

export const spoolOver = (store: StoreCalls<"spool">): SpoolStore => ({
  append: (user, value) => store.write("append", { user, value }),
  forget: (from, through) => store.write("forget", { from, through }),
  head: (limit) => store.read("head", limit),
  ofUser: (user) => store.read("ofUser", user),
  users: () => store.read("users", undefined),
  close: () => store.close(),
});
