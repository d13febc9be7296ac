import { expect, test } from "bun:test";
import { parseCassandraUrl } from "./address.ts";

test("the form of TEAM_STORE_URL", () => {
  expect(parseCassandraUrl("cassandra://a/powerplay")).toEqual({
    contactPoints: ["a:9042"],
    port: 9042,
    keyspace: "powerplay",
    dataCentre: "datacenter1",
    replication: 3,
    shown: "cassandra://a/powerplay?dc=datacenter1",
  });
  expect(parseCassandraUrl("cassandra://me:a%40b@a:1,[::1]:2/k_1?dc=Mumbai-1&replication=2")).toEqual({
    contactPoints: ["a:1", "[::1]:2"],
    port: 1,
    username: "me",
    password: "a@b",
    keyspace: "k_1",
    dataCentre: "Mumbai-1",
    replication: 2,
    shown: "cassandra://a:1,[::1]:2/k_1?dc=Mumbai-1",
  });
});

test.each([
  ["http://a/b", "another form"],
  ["cassandra://a", '"" is no keyspace'],
  ["cassandra://a/Upper", "no keyspace"],
  ["cassandra://a/b;drop", "no keyspace"],
  ["cassandra://a:99999/b", "not host:port"],
  ["cassandra://a/b?dc=x'y", "no name of a data centre"],
  ["cassandra://a/b?replication=none", "number of copies"],
  ["cassandra://a/b?rf=3", "no option"],
])("%s is refused", (url, reason) => {
  expect(() => parseCassandraUrl(url)).toThrow(/^TEAM_STORE_URL: .*; write cassandra:/);
  expect(() => parseCassandraUrl(url)).toThrow(reason);
});
