import type { Database } from "bun:sqlite";
import { contestReads, ContestsInHand, contestWrites } from "./contests.ts";
import { identityReads } from "./identity.ts";
import { joinReads, joinWrites } from "./joins.ts";
import { matchReads, matchWrites } from "./matches.ts";
import { paymentReads, paymentWrites } from "./payments.ts";
import { CATALOG_MIGRATIONS } from "./schema.ts";
import { spoolReads, spoolWrites } from "./spools.ts";
import { userReads, userWrites } from "./users.ts";

export const catalogEngine = {
  migrations: CATALOG_MIGRATIONS,
  pageBytes: 4096,
  messages: "json" as const,
  writes(db: Database) {
    const contests = new ContestsInHand(db);
    const joins = joinWrites(db, contests);
    return {
      operations: {
        ...userWrites(db),
        ...matchWrites(db),
        ...contestWrites(db, contests),
        ...joins.operations,
        ...paymentWrites(db),
        ...spoolWrites(db),
      },
      beforeCommit(): void {
        contests.beforeCommit();
        joins.beforeCommit();
      },
      forget(): void {
        contests.forget();
        joins.forget();
      },
    };
  },
  reads(db: Database) {
    return {
      ...userReads(db),
      ...matchReads(db),
      ...contestReads(db),
      ...joinReads(db),
      ...paymentReads(db),
      ...spoolReads(db),
      ...identityReads(db),
    };
  },
};
