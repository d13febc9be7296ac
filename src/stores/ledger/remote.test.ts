import { afterEach, describe, expect, test } from "bun:test";
import { type PeerHandlers, PeerServer } from "../../cluster/peers.ts";
import { gatewayAccount, userAccount } from "../../domain/account.ts";
import { userId } from "../../domain/ids.ts";
import { paise } from "../../domain/money.ts";
import { openSimulatedLedger } from "../../testing/simulated-ledger.ts";
import { inTemporaryDirectory } from "../sqlite/temporary.ts";
import { StoreUnavailable } from "../unavailable.ts";
import { ledgerContract } from "./contract.ts";
import { openEmbeddedLedger } from "./embedded.ts";
import type { Ledger, Transfer } from "./port.ts";
import { openRemoteLedger } from "./remote.ts";
import { ledgerHandlers } from "./served.ts";

const SECRET = "a-cluster-secret-0123456789-0123456789";
const LIMITS = {
  secret: SECRET,
  timeoutMs: 60_000,
  auditTimeoutMs: 60_000,
  bodyBytesMax: 1 << 20,
  waveTransfersMax: 8,
  pendingMax: 1_000,
};

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

const serve = (handlers: PeerHandlers, port = 0): PeerServer =>
  PeerServer.start({
    host: "127.0.0.1",
    port,
    url: null,
    secret: SECRET,
    bodyBytesMax: 1 << 20,
    handlers,
    onTrouble: () => undefined,
  });

const addressOf = ({ url }: PeerServer): string => url.replace("http", "powerplay");

/** The process that keeps the ledger, and a node; both start anew with `reopen`. */
describe("ledger: remote", () =>
  ledgerContract(
    inTemporaryDirectory(async (file) => {
      const kept = await openEmbeddedLedger({ file, pendingMax: 100_000 });
      const server = serve(ledgerHandlers(kept));
      const ledger = await openRemoteLedger({ ...LIMITS, url: addressOf(server) });
      return {
        transfer: (batch) => ledger.transfer(batch),
        payEntries: (payments) => ledger.payEntries(payments),
        balances: (accounts) => ledger.balances(accounts),
        history: (account, page) => ledger.history(account, page),
        find: (txnId) => ledger.find(txnId),
        audit: () => ledger.audit(),
        async close() {
          await ledger.close();
          await server.stop();
          await kept.close();
        },
      } satisfies Ledger;
    }),
  ));

const deposit = (txnId: string): Transfer => ({
  txnId,
  debit: gatewayAccount,
  credit: userAccount(userId(1)),
  amountPaise: paise(1),
  kind: "deposit",
  ref: "r",
  atMs: 1,
});

async function open(handlers: PeerHandlers, limits: Partial<typeof LIMITS> = {}) {
  const server = serve(handlers);
  stops.push(() => server.stop());
  const ledger = await openRemoteLedger({ ...LIMITS, ...limits, url: addressOf(server) });
  stops.push(() => ledger.close());
  return { server, ledger };
}

/** Writes down how many calls and transfers came with each question; the first waits for `release`. */
function gated() {
  const asked: number[][] = [];
  const first = Promise.withResolvers<void>();
  const handlers = ledgerHandlers(openSimulatedLedger());
  const transfer = async (batches: unknown) => {
    asked.push((batches as Transfer[][]).map((batch) => batch.length));
    if (asked.length === 1) await first.promise;
    return handlers["ledger-transfer"]!(batches);
  };
  return { asked, release: first.resolve, handlers: { ...handlers, "ledger-transfer": transfer } };
}

test("what comes while a question is under way is the next one, in order and never more than fits", async () => {
  const { asked, handlers, release } = gated();
  const { ledger } = await open(handlers);
  const batches = [1, 3, 4, 2, 9].map((length, call) =>
    Array.from({ length }, (_, index) => deposit(`${call}-${index}`)),
  );
  const answers = batches.map((batch) => ledger.transfer(batch));
  release();
  expect((await Promise.all(answers)).map((results) => results.length)).toEqual([1, 3, 4, 2, 9]);
  expect(asked).toEqual([[1], [3, 4], [2], [9]]);
});

test("a batch that fails there fails nobody else's", async () => {
  const base = openSimulatedLedger();
  const { ledger } = await open(
    ledgerHandlers({
      ...base,
      transfer: async (batch) => {
        if (batch[0]!.txnId === "poison") throw new Error("the disk is full");
        return base.transfer(batch);
      },
    }),
  );
  const [before, failed, after] = await Promise.allSettled(
    ["a", "poison", "b"].map((id) => ledger.transfer([deposit(id)])),
  );
  expect([before?.status, after?.status]).toEqual(["fulfilled", "fulfilled"]);
  expect(failed?.status === "rejected" && failed.reason).toBeInstanceOf(StoreUnavailable);
  expect(String(failed?.status === "rejected" && failed.reason)).toContain("the disk is full");
});

test("while the other process is away every call is unavailable, and afterwards the same ids go through", async () => {
  const handlers = ledgerHandlers(openSimulatedLedger());
  const { ledger, server } = await open(handlers);
  const port = Number(new URL(server.url).port);
  await ledger.transfer([deposit("before")]);
  await server.stop();
  for (const call of [
    () => ledger.transfer([deposit("during")]),
    () => ledger.balances([]),
    () => ledger.audit(),
    () => ledger.find("before"),
  ]) {
    expect(await call().then(() => null, String)).toMatch(/^StoreUnavailable: Ledger is unavailable: the node at/);
  }
  const again = serve(handlers, port);
  stops.push(() => again.stop());
  expect(await ledger.transfer([deposit("before"), deposit("during")])).toEqual([
    { ok: true, replayed: true },
    { ok: true, replayed: false },
  ]);
});

test("calls do not pile up without end", async () => {
  const { handlers, release } = gated();
  const { ledger } = await open(handlers, { pendingMax: 2 });
  const calls = ["a", "b", "c", "d"].map((id) => ledger.transfer([deposit(id)]));
  // The first is under way, two wait.
  expect(await calls[3]!.then(() => null, String)).toContain("too many calls wait");
  release();
  expect(await Promise.all(calls.slice(0, 3))).toHaveLength(3);
});

test("a wrong address and another secret are told at the start, with the remedy", async () => {
  const refusal = (url: string, secret = SECRET) =>
    openRemoteLedger({ ...LIMITS, secret, url }).then(() => "it opened", String);
  expect(await refusal("powerplay://nowhere")).toContain("another form than powerplay://host:port");
  const server = serve(ledgerHandlers(openSimulatedLedger()));
  const address = addressOf(server);
  expect(await refusal(address, "not-the-secret")).toMatch(/status 401.*`powerplay ledger`.*CLUSTER_SECRET/);
  await server.stop();
  expect(await refusal(address)).toMatch(/^Error: LEDGER_URL: no ledger answers at 127\.0\.0\.1:\d+ .*Start one there/);
});
