import type { Database } from "bun:sqlite";
import type { UserId } from "../../../domain/ids.ts";
import type { User, UserCatalog, UserRole } from "../port.ts";
import { foldUserName } from "../user-name.ts";

interface UserRow {
  user_id: UserId;
  name: string;
  role: UserRole;
  password_hash: string | null;
  created_at_ms: number;
}

const userOf = (row: UserRow): User => ({
  id: row.user_id,
  name: row.name,
  role: row.role,
  passwordHash: row.password_hash,
  createdAtMs: row.created_at_ms,
});

export function userWrites(db: Database) {
  const insert = db.query<UserRow, [string, string, string, string | null, number]>(
    `INSERT INTO users (name, name_folded, role, password_hash, created_at_ms) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (name_folded) DO NOTHING RETURNING *`,
  );
  return {
    createUser(user: Omit<User, "id">): Awaited<ReturnType<UserCatalog["createUser"]>> {
      const row = insert.get(user.name, foldUserName(user.name), user.role, user.passwordHash, user.createdAtMs);
      return row ? { ok: true, user: userOf(row) } : { ok: false, refusal: "name_taken" };
    },
  };
}

export function userReads(db: Database) {
  const byId = db.query<UserRow, [number]>("SELECT * FROM users WHERE user_id = ?");
  const byName = db.query<UserRow, [string]>("SELECT * FROM users WHERE name_folded = ?");
  return {
    user(id: UserId): User | null {
      const row = byId.get(id);
      return row && userOf(row);
    },
    userByName(name: string): User | null {
      const row = byName.get(foldUserName(name));
      return row && userOf(row);
    },
    userNames(ids: readonly UserId[]): [UserId, string][] {
      const names: [UserId, string][] = [];
      for (const id of ids) {
        const row = byId.get(id);
        if (row) names.push([id, row.name]);
      }
      return names;
    },
  };
}
