import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { connect, createServer, type Server, type Socket } from "node:net";
import { contestId, entryId, teamNo, userId } from "../../../domain/ids.ts";
import { paise } from "../../../domain/money.ts";
import { StoreUnavailable } from "../../unavailable.ts";
import type { Catalog, JoinRequest, JoinSaga } from "../port.ts";
import { openPostgresCatalog, type PostgresCatalog } from "../postgres.ts";
import { withDatabase } from "./address.ts";
import { Database } from "./database.ts";
import { migrate } from "./migrate.ts";
import { moveBuckets } from "./move-buckets.ts";
import { bucketOf, shardOfBuckets } from "./ring.ts";
import {
  createDatabases,
  NOW_MS,
  openContest,
  openTestCatalog,
  query,
  requestOf,
  TEST_LIMITS,
  type TestDatabases,
  testServer,
} from "./testing.ts";

const server = await testServer();

/** Until it holds; what is waited for has no event. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await Bun.sleep(5);
}

const aUser = (name: string) => ({ name, role: "user", passwordHash: null, createdAtMs: NOW_MS }) as const;

async function begun(catalog: Catalog, request: JoinRequest): Promise<JoinSaga> {
  const result = await catalog.beginJoin(request);
  if (!result.ok) throw new Error(result.refusal);
  return result.saga;
}

describe.skipIf(server === null)("catalog: postgres alone", () => {
  let databases: TestDatabases;
  let url = "";
  beforeAll(async () => {
    databases = await createDatabases(server!, 4);
    url = databases.urls[0]!;
  });
  afterAll(() => databases.drop());
  beforeEach(async () => {
    await databases.empty();
  });

  async function withCatalogs(count: number, body: (catalogs: PostgresCatalog[]) => Promise<void>): Promise<void> {
    const catalogs = await Promise.all(Array.from({ length: count }, () => openTestCatalog(url)));
    try {
      await body(catalogs);
    } finally {
      await Promise.all(catalogs.map((catalog) => catalog.close()));
    }
  }

  describe("migrations", () => {
    test("six nodes that start at once on empty databases share one schema", async () => {
      const userUrls = databases.urls.slice(1);
      const nodes = await Promise.all(Array.from({ length: 6 }, () => openTestCatalog(url, { userUrls })));
      const created = await Promise.all(nodes.map((node, index) => node.createUser(aUser(`user ${index}`))));
      expect(created.every(({ ok }) => ok)).toBe(true);
      await Promise.all(nodes.map((node) => node.close()));
      expect(await query(url, "SELECT * FROM powerplay_schemas")).toEqual([{ name: "catalog", version: 2 }]);
    });

    test("a database newer than the binary is refused, and left as it is", async () => {
      await (await openTestCatalog(url)).close();
      await query(url, "UPDATE powerplay_schemas SET version = 99 WHERE name = 'catalog'");
      await expect(openTestCatalog(url)).rejects.toThrow(
        /CATALOG_URL at .*: its catalog schema has version 99 and this binary knows 2/,
      );
      expect(await query(url, "SELECT version FROM powerplay_schemas WHERE name = 'catalog'")).toEqual([
        { version: 99 },
      ]);
    });

    test("a migration that fails in its middle leaves nothing; the next start does it whole", async () => {
      const database = new Database(url, TEST_LIMITS.calls);
      const first = "CREATE TABLE one (id integer)";
      const failing = "CREATE TABLE two (id integer); SELECT 1 / 0";
      await expect(migrate(database, "catalog", [first, failing])).rejects.toThrow("division by zero");
      await until(async () => (await query(url, "SELECT 1 FROM pg_tables WHERE tablename = 'one'")).length === 0);
      await migrate(database, "catalog", [first]);
      await migrate(database, "catalog", [first, "CREATE TABLE two (id integer)"]);
      expect(await database.rows("SELECT version FROM powerplay_schemas")).toEqual([{ version: 2 }]);
      await database.close();
    });
  });

  describe("a start names what is wrong and what to do", () => {
    const refusals: [string, () => Promise<unknown>, RegExp][] = [
      ["no URL", () => openTestCatalog("nonsense"), /CATALOG_URL \(Catalog\): it is no URL; write postgres:\/\//],
      [
        "another protocol",
        () => openTestCatalog("redis://h/0"),
        /"redis:" is not Postgres|"redis:\/\/" is not Postgres/,
      ],
      ["no database", () => openTestCatalog("postgres://localhost:5432"), /it names no database/],
      [
        "nothing listens",
        () => openTestCatalog("postgres://me:secret@127.0.0.1:1/powerplay"),
        /Catalog is unavailable: CATALOG_URL at 127\.0\.0\.1:1\/powerplay: .*; check that the server runs/,
      ],
      [
        "no such database",
        () => openTestCatalog(withDatabase(server!, "powerplay_nowhere")),
        /CATALOG_URL at .*\/powerplay_nowhere: .*does not exist; create the database/,
      ],
      [
        "users nowhere",
        () => openTestCatalog(url, { userUrls: ["postgres://127.0.0.1:1/users"] }),
        /CATALOG_USER_URLS at 127\.0\.0\.1:1\/users/,
      ],
    ];
    for (const [what, open, message] of refusals) {
      test(what, async () => {
        const error = await open().then(
          () => null,
          (thrown: unknown) => String(thrown),
        );
        expect(error).toMatch(message);
        expect(error).not.toContain("secret");
      });
    }

    test("commits that a crash loses", async () => {
      const name = new URL(url).pathname.slice(1);
      await query(url, `ALTER DATABASE ${name} SET synchronous_commit = off`);
      expect(await openTestCatalog(url).catch(String)).toMatch(/set synchronous_commit = on/);
      await query(url, `ALTER DATABASE ${name} RESET synchronous_commit`);
    });
  });

  describe("several nodes", () => {
    test("race for seats: the contest is full and no fuller, and its counts are its rows", async () => {
      await withCatalogs(3, async (nodes) => {
        const contest = await openContest(nodes[0]!, 100);
        const results = await Promise.all(
          Array.from({ length: 400 }, async (_, index) => {
            const node = nodes[index % 3]!;
            const result = await node.beginJoin(requestOf(contest, index + 1));
            if (!result.ok) return result.refusal;
            if (index % 4 === 0) return (await node.releaseJoin(result.saga.sagaId)) ? "released" : "kept";
            return (await node.confirmJoin(result.saga.sagaId)).ok ? "entered" : "lost";
          }),
        );
        const entered = results.filter((result) => result === "entered").length;
        expect(results.filter((result) => result === "kept" || result === "lost")).toEqual([]);
        expect((await nodes[1]!.contest(contest.id))!.seatsTaken).toBe(entered);
        expect(entered).toBeGreaterThan(0);
        expect(entered).toBeLessThanOrEqual(100);
        expect(await nodes[2]!.entryCount(contest.id)).toBe(entered);
        expect(await nodes[2]!.entriesOfContest(contest.id, 0, 1_000)).toHaveLength(entered);
        expect(await nodes[0]!.outboxCount(contest.matchId)).toBe(entered);
      });
    });

    test("race for the last seats of many contests, in all orders: each is full, and nobody waits in a circle", async () => {
      await withCatalogs(3, async (nodes) => {
        const contests = await Promise.all(Array.from({ length: 12 }, () => openContest(nodes[0]!, 5)));
        const results = await Promise.all(
          nodes.flatMap((node, nodeIndex) =>
            Array.from({ length: 10 }, (_, user) =>
              Promise.all(
                contests
                  .toSorted(
                    (a, b) => ((a.id * 7 + nodeIndex * 5 + user) % 12) - ((b.id * 7 + nodeIndex * 5 + user) % 12),
                  )
                  .map((contest) => node.beginJoin(requestOf(contest, 1 + nodeIndex * 10 + user))),
              ),
            ),
          ),
        );
        expect(results.flat().filter(({ ok }) => ok)).toHaveLength(60);
        for (const contest of contests) expect((await nodes[0]!.contest(contest.id))!.seatsTaken).toBe(5);
      });
    });

    test("race with one key: one saga, known to all", async () => {
      await withCatalogs(3, async (nodes) => {
        const contest = await openContest(nodes[0]!, 100);
        const results = await Promise.all(
          Array.from({ length: 60 }, (_, index) => nodes[index % 3]!.beginJoin(requestOf(contest, 7))),
        );
        expect(new Set(results.map((result) => (result.ok ? result.saga.sagaId : result.refusal))).size).toBe(1);
        expect(results.filter((result) => result.ok && result.begun)).toHaveLength(1);
        expect((await nodes[0]!.contest(contest.id))!.seatsTaken).toBe(1);
      });
    });

    test("race with one key for two contests: one has it, for the other it is used", async () => {
      await withCatalogs(2, async (nodes) => {
        const contests = [await openContest(nodes[0]!, 100), await openContest(nodes[0]!, 100)];
        for (let user = 1; user <= 20; user++) {
          const results = await Promise.all(
            contests.map((contest, index) => nodes[index]!.beginJoin(requestOf(contest, user, 1, "key"))),
          );
          expect(results.map((result) => (result.ok ? "begun" : result.refusal)).toSorted()).toEqual([
            "begun",
            "idempotency_key_reused",
          ]);
        }
        const seats = await Promise.all(contests.map(async ({ id }) => (await nodes[0]!.contest(id))!.seatsTaken));
        expect(seats[0]! + seats[1]!).toBe(20);
      });
    });

    test("race for one user's limit: as many as allowed", async () => {
      await withCatalogs(3, async (nodes) => {
        for (let round = 1; round <= 10; round++) {
          const contest = await openContest(nodes[0]!, 100, 2);
          const results = await Promise.all(
            Array.from({ length: 12 }, (_, index) => nodes[index % 3]!.beginJoin(requestOf(contest, 7, index + 1))),
          );
          expect(results.filter(({ ok }) => ok)).toHaveLength(2);
          const refusals = results.flatMap((result) => (result.ok ? [] : [result.refusal]));
          expect(new Set(refusals)).toEqual(new Set(["entry_limit"]));
        }
      });
    });

    test("race to write where the saves of a match end: all hear the first", async () => {
      await withCatalogs(3, async (nodes) => {
        const { matchId } = await openContest(nodes[0]!, 100);
        const heard = await Promise.all(nodes.map((node, index) => node.putLockPositions(matchId, [index, 9])));
        expect(new Set(heard.map(String)).size).toBe(1);
        expect(await nodes[0]!.lockPositions(matchId)).toEqual(heard[0]!);
      });
    });
  });

  describe("what changes while a group is under way", () => {
    /** A transaction of somebody else's that holds the contest's counts, until `commit`. */
    async function holding(
      contest: { id: number },
      change: string,
      body: (commit: () => Promise<void>) => Promise<void>,
    ) {
      const other = new Database(url, { ...TEST_LIMITS.calls, connectionsMax: 1 });
      await other.rows("BEGIN");
      try {
        await other.rows("SELECT FROM contest_counts WHERE contest_id = $1 FOR UPDATE", [contest.id]);
        if (change !== "") await other.rows(change, [contest.id]);
        await body(async () => void (await other.rows("COMMIT")));
      } finally {
        await other.close();
      }
    }
    const groupWaits = () =>
      until(async () => {
        const waiting = await query(
          url,
          "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%join_group%'",
        );
        return waiting.length > 0;
      });

    test("a contest that closes takes the entry back: it is not announced, and the join can be released", async () => {
      await withCatalogs(1, async ([node]) => {
        const contest = await openContest(node!, 100);
        const { sagaId } = await begun(node!, requestOf(contest, 7));
        await holding(contest, "UPDATE contest_counts SET is_open = false WHERE contest_id = $1", async (commit) => {
          const confirmed = node!.confirmJoin(sagaId);
          await groupWaits();
          await commit();
          expect(await confirmed).toEqual({ ok: false, refusal: "contest_not_open" });
        });
        expect(await node!.outbox(10)).toEqual([]);
        expect(await node!.entryCount(contest.id)).toBe(0);
        expect(await node!.reservedJoinCount(contest.matchId)).toBe(1);
        expect(await node!.releaseJoin(sagaId)).toBe(true);
        expect((await node!.contest(contest.id))!.seatsTaken).toBe(0);
      });
    });

    for (const [what, change, refusal] of [
      ["closes", "UPDATE contest_counts SET is_open = false WHERE contest_id = $1", "contest_not_open"],
      [
        "loses its match to the lock",
        "UPDATE contest_counts SET match_is_upcoming = false WHERE contest_id = $1",
        "contest_not_open",
      ],
      ["fills", "UPDATE contest_counts SET seats_taken = entries_max WHERE contest_id = $1", "contest_full"],
    ] as const) {
      test(`a contest that ${what} takes the seat back`, async () => {
        await withCatalogs(1, async ([node]) => {
          const contest = await openContest(node!, 100);
          await holding(contest, change, async (commit) => {
            const begins = [node!.beginJoin(requestOf(contest, 7)), node!.beginJoin(requestOf(contest, 8))];
            await groupWaits();
            await commit();
            expect(await Promise.all(begins)).toEqual([
              { ok: false, refusal },
              { ok: false, refusal },
            ]);
          });
          expect(
            await query(
              url,
              "SELECT (SELECT count(*) FROM seats)::int + (SELECT count(*) FROM joins_under_way)::int AS left",
            ),
          ).toEqual([{ left: 0 }]);
        });
      });
    }

    test("contests of another lane don't wait", async () => {
      await withCatalogs(1, async ([node]) => {
        const held = await openContest(node!, 100);
        const other = await openContest(node!, 100);
        await holding(held, "", async (commit) => {
          const waiting = node!.beginJoin(requestOf(held, 7));
          await groupWaits();
          expect((await node!.beginJoin(requestOf(other, 7))).ok).toBe(true);
          await commit();
          expect((await waiting).ok).toBe(true);
        });
      });
    });
  });

  test("a join with a fault fails alone, whatever goes in its group", async () => {
    await withCatalogs(1, async ([node]) => {
      const contest = await openContest(node!, 100);
      const results = await Promise.allSettled(
        Array.from({ length: 20 }, (_, index) =>
          node!.beginJoin(requestOf(contest, index + 1, 1, index === 13 ? "no\u0000text" : 'quoted "\\{,} key')),
        ),
      );
      expect(results.map(({ status }) => status === "rejected")).toEqual(results.map((_, index) => index === 13));
      expect((await node!.contest(contest.id))!.seatsTaken).toBe(19);
      const [first] = await node!.reservedJoins(NOW_MS + 1, 1);
      expect(first!.idempotencyKey).toBe('quoted "\\{,} key');
    });
  });

  test("constraints are the last guard: the database itself refuses what no call asks for", async () => {
    await withCatalogs(1, async ([node]) => {
      const contest = await openContest(node!, 2);
      await begun(node!, requestOf(contest, 7));
      await node!.createUser(aUser("Dhoni"));
      await node!.createDeposit({ orderId: "d1", userId: userId(7), amountPaise: paise(1), createdAtMs: 1 });
      await node!.creditDeposit("d1", "pay1");
      await node!.attachProviderOrder("d1", "p1");
      const copy = (key: string, entry: number) =>
        `INSERT INTO seats SELECT 1, user_id, match_id, contest_id, ${entry}, 1, 1, '${key}' FROM seats`;
      const guarded: [string, string][] = [
        [copy(`${contest.id}:1`, 999), "one_saga_a_key"],
        [copy("new", entryId(userId(7), teamNo(1))), "one_entry_a_contest"],
        ["UPDATE contest_counts SET seats_taken = entries_max + 1", "seats_within_capacity"],
        ["UPDATE contest_counts SET entry_count = seats_taken + 1", "entries_within_seats"],
        ["INSERT INTO users SELECT 1, name, name_folded, role, NULL, 1 FROM users", "one_user_a_name"],
        ["INSERT INTO deposits VALUES ('d2', 0, 1, 1, 'created', 'p1', NULL, 1)", "one_deposit_an_order"],
        ["INSERT INTO deposits VALUES ('d2', 0, 1, 1, 'created', NULL, 'pay1', 1)", "one_deposit_a_payment"],
      ];
      for (const [statement, constraint] of guarded) {
        expect(await query(url, statement).then(() => "accepted", String)).toContain(constraint);
      }
    });
  });

  describe("a lost connection", () => {
    const kill = () =>
      query(
        url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'powerplay'",
      );

    test("in the middle is StoreUnavailable; every call can be repeated, and happened once", async () => {
      await withCatalogs(1, async ([node]) => {
        const contest = await openContest(node!, 1_000);
        const load = { isOn: true, lost: 0 };
        const repeated = async <T>(call: () => Promise<T>): Promise<T> => {
          for (;;) {
            try {
              return await call();
            } catch (error) {
              expect(error).toBeInstanceOf(StoreUnavailable);
              load.lost++;
            }
          }
        };
        const users = Array.from({ length: 40 }, (_, index) => index + 1);
        const kills = (async () => {
          while (load.isOn && load.lost < 200) await kill();
        })();
        let joined = 0;
        await Promise.all(
          users.map(async (user) => {
            while (load.lost < 20) {
              const request = requestOf(contest, user, 1, `${user}:${joined}`);
              const result = await repeated(() => node!.beginJoin(request));
              if (!result.ok) throw new Error(result.refusal);
              await repeated(() => node!.releaseJoin(result.saga.sagaId));
              joined++;
            }
            const begin = await repeated(() => node!.beginJoin(requestOf(contest, user)));
            if (!begin.ok) throw new Error(begin.refusal);
            expect((await repeated(() => node!.confirmJoin(begin.saga.sagaId))).ok).toBe(true);
          }),
        );
        load.isOn = false;
        await kills;
        expect(load.lost).toBeGreaterThanOrEqual(20);
        const left = await repeated(async () => [
          (await node!.contest(contest.id))!.seatsTaken,
          await node!.entryCount(contest.id),
          await node!.outboxCount(contest.matchId),
          await node!.reservedJoinCount(contest.matchId),
        ]);
        expect(left).toEqual([40, 40, 40, 0]);
      });
    });

    /** Between node and server: `freeze` keeps sockets open and lets nothing through. */
    async function proxied(
      body: (url: string, proxy: { freeze(): void; thaw(): void }) => Promise<void>,
    ): Promise<void> {
      const target = new URL(url);
      const sockets = new Set<Socket>();
      let isFrozen = false;
      const proxy: Server = createServer((near) => {
        const far = connect(Number(target.port || 5_432), target.hostname);
        for (const [from, to] of [
          [near, far],
          [far, near],
        ] as const) {
          sockets.add(from);
          from.on("data", (bytes) => void (isFrozen || to.write(bytes)));
          from.on("error", () => to.destroy());
          from.on("close", () => to.destroy());
        }
      });
      await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
      const through = new URL(url);
      through.hostname = "127.0.0.1";
      through.port = String((proxy.address() as { port: number }).port);
      try {
        await body(through.href, { freeze: () => void (isFrozen = true), thaw: () => void (isFrozen = false) });
      } finally {
        for (const socket of sockets) socket.destroy();
        proxy.close();
      }
    }

    test("a server that falls silent is given up, and found again when it speaks", async () => {
      await proxied(async (through, proxy) => {
        const calls = { ...TEST_LIMITS.calls, callTimeoutMs: 150 };
        const node = await openTestCatalog(through, { calls: { ...calls, callTimeoutMs: 20_000 } });
        const contest = await openContest(node, 10);
        const impatient = await openTestCatalog(through, { calls: { ...calls, callTimeoutMs: 2_000 } });
        proxy.freeze();
        const results = await Promise.allSettled([
          impatient.contest(contest.id),
          impatient.beginJoin(requestOf(contest, 7)),
        ]);
        for (const result of results) {
          expect(result.status === "rejected" && String(result.reason)).toMatch(/no answer within 2000 ms/);
        }
        proxy.thaw();
        expect((await impatient.beginJoin(requestOf(contest, 7))).ok).toBe(true);
        expect((await impatient.contest(contestId(contest.id)))!.seatsTaken).toBe(1);
        await Promise.all([impatient.close(), node.close()]);
      });
    });

    test("more calls than may wait are refused at once", async () => {
      const node = await openTestCatalog(url, { calls: { ...TEST_LIMITS.calls, pendingMax: 3 } });
      const results = await Promise.allSettled(Array.from({ length: 5 }, () => node.matches({ limit: 1 })));
      expect(results.map(({ status }) => status)).toEqual([
        "fulfilled",
        "fulfilled",
        "fulfilled",
        "rejected",
        "rejected",
      ]);
      await node.close();
      await expect(node.matches({ limit: 1 })).rejects.toThrow(StoreUnavailable);
    });
  });

  describe("users over several databases", () => {
    const userUrls = () => databases.urls.slice(1);

    test("are spread, and each is found by id and by name", async () => {
      const node = await openTestCatalog(url, { userUrls: userUrls() });
      const names = Array.from({ length: 90 }, (_, index) => `user ${index}`);
      const created = await Promise.all(names.map((name) => node.createUser(aUser(name))));
      const users = created.map((result) => (result.ok ? result.user : null)!);
      for (const user of users) {
        expect(await node.user(user.id)).toEqual(user);
        expect((await node.userByName(user.name.toUpperCase()))!.id).toBe(user.id);
        expect(user.id * 64 + 63).toBeLessThan(2 ** 53);
      }
      expect(await node.userNames(users.map(({ id }) => id))).toEqual(new Map(users.map(({ id, name }) => [id, name])));
      for (const shard of userUrls()) expect((await query(shard, "SELECT 1 FROM users")).length).toBeGreaterThan(10);
      await node.close();
    });

    test("a provider's order and payment are one deposit's, wherever the deposits are", async () => {
      const node = await openTestCatalog(url, { userUrls: userUrls() });
      const shardOf = shardOfBuckets(3);
      const orders = Array.from({ length: 12 }, (_, index) => `order-${index}`);
      expect(new Set(orders.map((order) => shardOf[bucketOf(order)])).size).toBe(3);
      for (const [index, orderId] of orders.entries()) {
        await node.createDeposit({ orderId, userId: userId(1 + index), amountPaise: paise(100), createdAtMs: NOW_MS });
      }
      for (const call of [node.attachProviderOrder, node.creditDeposit]) {
        const taken = await Promise.all(orders.map((order) => call(order, "theirs")));
        expect(taken.filter(Boolean)).toHaveLength(1);
        expect(await Promise.all(orders.map((order) => call(order, "theirs")))).toEqual(taken);
      }
      // A claim that came to nothing gives way: the deposit it was made for has failed since.
      const [first, second] = (await node.deposits("", 12)).filter(({ state }) => state === "created");
      const shard = userUrls()[shardOf[bucketOf("late")]!]!;
      await query(
        shard,
        `INSERT INTO provider_claims VALUES ('payment', 'late', ${bucketOf("late")}, '${first!.orderId}')`,
      );
      expect(await node.creditDeposit(second!.orderId, "late")).toBe(false);
      await node.failDeposit(first!.orderId);
      expect(await node.creditDeposit(second!.orderId, "late")).toBe(true);
      expect(await node.creditDeposit(first!.orderId, "late")).toBe(false);
      await node.close();
    });

    test("a database that lost its users is not taken for a new one: their numbers would be given again", async () => {
      await (await openTestCatalog(url, { userUrls: userUrls() })).close();
      const node = await openTestCatalog(url, { userUrls: userUrls() });
      await Promise.all(Array.from({ length: 30 }, (_, index) => node.createUser(aUser(`user ${index}`))));
      await node.close();
      await query(userUrls()[0]!, "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
      expect(await openTestCatalog(url, { userUrls: userUrls() }).then(() => "opened", String)).toMatch(
        /number 1 of 3 in CATALOG_USER_URLS, but \d+ of its 4096 buckets are elsewhere and 0 are another's/,
      );
    });

    test("a list with a database more, fewer or in another order is refused until rows are moved", async () => {
      const [one, two, three] = userUrls();
      const node = await openTestCatalog(url, { userUrls: [one!, two!] });
      const names = Array.from({ length: 60 }, (_, index) => `user ${index}`);
      const created = await Promise.all(names.map((name) => node.createUser(aUser(name))));
      await node.createDeposit({ orderId: "d1", userId: userId(7), amountPaise: paise(5), createdAtMs: NOW_MS });
      await node.attachProviderOrder("d1", "p1");
      await node.createWithdrawal({
        withdrawalId: "w1",
        userId: userId(7),
        amountPaise: paise(5),
        createdAtMs: NOW_MS,
      });
      await node.close();
      for (const wrong of [[two!, one!], [one!], [one!, two!, three!]]) {
        expect(await openTestCatalog(url, { userUrls: wrong }).then(() => "opened", String)).toMatch(
          /of its 4096 buckets are elsewhere/,
        );
      }
      const moved = await moveBuckets([one!, two!, three!], TEST_LIMITS.calls);
      expect(moved).toBe([...shardOfBuckets(3)].filter((shard) => shard === 2).length);
      expect(await moveBuckets([one!, two!, three!], TEST_LIMITS.calls)).toBe(0);
      const wider = await openTestCatalog(url, { userUrls: [one!, two!, three!] });
      for (const result of created) if (result.ok) expect(await wider.user(result.user.id)).toEqual(result.user);
      expect((await query(three!, "SELECT 1 FROM users")).length).toBeGreaterThan(5);
      expect(await wider.createUser(aUser("USER 1"))).toEqual({ ok: false, refusal: "name_taken" });
      const late = await Promise.all(names.map((name) => wider.createUser(aUser(`${name} b`))));
      const ids = [...created, ...late].map((result) => (result.ok ? result.user.id : 0));
      expect(new Set(ids).size).toBe(120);
      expect((await wider.depositByProviderOrder("p1"))!.orderId).toBe("d1");
      expect((await wider.withdrawal("w1"))!.amountPaise).toBe(paise(5));
      await wider.close();
    });
  });

  test("lists for browsing come from a replica, all else from the primary; a replica that is down is passed over", async () => {
    const [, replica] = databases.urls;
    await (await openTestCatalog(replica!)).close();
    const node = await openTestCatalog(url, { replicaUrls: [replica!, "postgres://127.0.0.1:1/nowhere"] });
    const contest = await openContest(node, 10);
    // Two lists ask both replicas: what is behind answers as it is, what is away leaves it to the primary.
    const listed = [await node.browsing.contests(contest.matchId), await node.browsing.contests(contest.matchId)];
    expect(listed.map((contests) => contests.length).toSorted()).toEqual([0, 1]);
    // Now only the one that is up is asked.
    expect(await node.browsing.matches({ limit: 10 })).toEqual([]);
    expect(await node.matches({ limit: 10 })).toHaveLength(1);
    expect(await node.contests(contest.matchId)).toHaveLength(1);
    await node.close();
  });
});

test("openPostgresCatalog without a server names the remedy even where no test server is set", async () => {
  const options = { url: "postgres://127.0.0.1:1/powerplay", userUrls: [], replicaUrls: [], ...TEST_LIMITS };
  expect(await openPostgresCatalog(options).then(() => "opened", String)).toMatch(/pg_isready/);
});
