import type { UserId } from "../../../domain/ids.ts";
import type { User, UserCatalog, UserRole } from "../port.ts";
import { foldUserName } from "../user-name.ts";
import { numberArray } from "./arrays.ts";
import type { Database } from "./database.ts";
import { bucketOf, bucketOfUserId } from "./ring.ts";
import type { Shards } from "./shards.ts";

interface UserRow {
  readonly user_id: UserId;
  readonly name: string;
  readonly role: UserRole;
  readonly password_hash: string | null;
  readonly created_at_ms: number;
}

const COLUMNS = "user_id, name, role, password_hash, created_at_ms";

const userOf = (row: UserRow): User => ({
  id: row.user_id,
  name: row.name,
  role: row.role,
  passwordHash: row.password_hash,
  createdAtMs: row.created_at_ms,
});

export function userCatalog(shards: Shards): UserCatalog {
  return {
    async createUser(user) {
      const folded = foldUserName(user.name);
      const bucket = bucketOf(folded);
      const row = await shards
        .of(bucket)
        .row<{ id: UserId | null }>("SELECT create_user($1, $2, $3, $4, $5, $6) AS id", [
          bucket,
          user.name,
          folded,
          user.role,
          user.passwordHash,
          user.createdAtMs,
        ]);
      const id = row!.id;
      return id === null ? { ok: false, refusal: "name_taken" } : { ok: true, user: { ...user, id } };
    },
    async user(id) {
      const shard = shards.of(bucketOfUserId(id));
      const row = await shard.row<UserRow>(`SELECT ${COLUMNS} FROM users WHERE user_id = $1`, [id]);
      return row && userOf(row);
    },
    async userByName(name) {
      const folded = foldUserName(name);
      const shard = shards.of(bucketOf(folded));
      const row = await shard.row<UserRow>(`SELECT ${COLUMNS} FROM users WHERE name_folded = $1`, [folded]);
      return row && userOf(row);
    },
    async userNames(ids) {
      const byShard = new Map<Database, UserId[]>();
      for (const id of ids) {
        const shard = shards.of(bucketOfUserId(id));
        const known = byShard.get(shard);
        if (known) known.push(id);
        else byShard.set(shard, [id]);
      }
      const rows = await Promise.all(
        [...byShard].map(([shard, of]) =>
          shard.rows<Pick<UserRow, "user_id" | "name">>(
            "SELECT user_id, name FROM users WHERE user_id = ANY ($1::bigint[])",
            [numberArray(of)],
          ),
        ),
      );
      return new Map(rows.flat().map((row) => [row.user_id, row.name]));
    },
  };
}
