import { afterAll, describe } from "bun:test";
import { catalogContract } from "./contract.ts";
import { inTestDatabases, testServer } from "./postgres/testing.ts";

const server = await testServer();
for (const shardCount of [0, 3]) {
  const where = shardCount === 0 ? "one database" : `users over ${shardCount} databases`;
  describe.skipIf(server === null)(`catalog: postgres, ${where}`, () => {
    const databases = inTestDatabases(server ?? "", shardCount);
    afterAll(() => databases.drop());
    catalogContract(databases.open);
  });
}
