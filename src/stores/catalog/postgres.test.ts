import { afterAll, beforeAll, describe } from "bun:test";
import { catalogContract } from "./contract.ts";
import { createDatabases, inTestDatabases, type TestDatabases, testServer } from "./postgres/testing.ts";

const server = await testServer();
for (const shardCount of [0, 3]) {
  const where = shardCount === 0 ? "one database" : `users over ${shardCount} databases`;
  describe.skipIf(server === null)(`catalog: postgres, ${where}`, () => {
    let databases: TestDatabases;
    beforeAll(async () => {
      databases = await createDatabases(server!, 1 + shardCount);
    });
    afterAll(() => databases.drop());
    catalogContract(inTestDatabases(() => databases));
  });
}
