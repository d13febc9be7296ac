import { expect, test } from "bun:test";
import { parseRedisUrl } from "./address.ts";

test("each form of HOT_STORE_URL", () => {
  expect(parseRedisUrl("redis://localhost")).toMatchObject({
    cluster: false,
    tls: false,
    hosts: [{ host: "localhost", port: 6379 }],
    database: 0,
    prefix: "",
  });
  expect(parseRedisUrl("rediss://me:a%40b@10.0.0.1:7000/3?prefix=p%3A")).toEqual({
    cluster: false,
    tls: true,
    hosts: [{ host: "10.0.0.1", port: 7000 }],
    username: "me",
    password: "a@b",
    database: 3,
    prefix: "p:",
    shown: "rediss://10.0.0.1:7000/3",
  });
  expect(parseRedisUrl("redis+cluster://:word@a:1,b,[::1]:3?prefix=x")).toEqual({
    cluster: true,
    tls: false,
    hosts: [
      { host: "a", port: 1 },
      { host: "b", port: 6379 },
      { host: "::1", port: 3 },
    ],
    password: "word",
    database: 0,
    prefix: "x",
    shown: "redis+cluster://a:1,b,[::1]:3",
  });
});

test.each([
  ["http://localhost", "none of the forms"],
  ["redis://", "none of the forms"],
  ["redis://a:1,b:2", "redis+cluster"],
  ["redis://a:0", "not host:port"],
  ["redis://a:70000", "not host:port"],
  ["redis://a/first", "no number of a database"],
  ["redis+cluster://a/1", "database 0 alone"],
  ["redis://a?db=1", "no option"],
  ["redis://a?prefix={x}", "no braces"],
])("%s is refused", (url, reason) => {
  expect(() => parseRedisUrl(url)).toThrow(
    new RegExp(`^HOT_STORE_URL: .*${reason.replace("+", "\\+")}.*; write redis://`),
  );
});
