import { expect, test } from "bun:test";
import { keyspaceFault } from "./schema.ts";

const address = { keyspace: "powerplay", dataCentre: "mumbai", replication: 3 };
const NETWORK = "org.apache.cassandra.locator.NetworkTopologyStrategy";
const SIMPLE = "org.apache.cassandra.locator.SimpleStrategy";

test.each([
  [{ class: NETWORK, mumbai: "3" }, 3, null],
  [{ class: NETWORK, mumbai: "3", delhi: "3" }, 1, null],
  [{ class: SIMPLE, replication_factor: "1" }, 1, null],
  [
    { class: NETWORK, delhi: "3" },
    3,
    /no copies in data centre mumbai .*delhi.*correct \?dc=.*ALTER KEYSPACE powerplay/,
  ],
  [null, 3, null],
  [null, 1, /3 copies, and the data centre has 1 node; .*replication=1/],
])("keyspace of %j where %i nodes are", (copies, nodes, fault) => {
  const said = keyspaceFault(address, copies, nodes);
  if (fault === null) expect(said).toBeNull();
  else expect(said).toMatch(fault);
});
