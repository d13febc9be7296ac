import { afterAll, expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import { type Config, testConfig } from "../config.ts";
import { ApiClient } from "../demo/api-client.ts";
import { type Node, startNode } from "../main.ts";

const nodes: { node: Node; config: Config }[] = [];
afterAll(async () => {
  for (const { node, config } of nodes) {
    await node.stop();
    await rm(config.dataDir, { recursive: true, force: true });
  }
});

async function open(change: Partial<Config> = {}): Promise<Node> {
  const config = { ...testConfig(), ...change };
  const node = await startNode(config);
  nodes.push({ node, config });
  return node;
}

test("a guest has a name, no password, and money that only its own deposit brings", async () => {
  const api = new ApiClient((await open()).url);
  const guests = [await api.post("/v1/sandbox/users", {}), await api.post("/v1/sandbox/users", { role: "admin" })];
  expect(guests.map(({ status, body }) => [status, body.role])).toEqual([
    [201, "user"],
    [201, "admin"],
  ]);
  const [guest, admin] = guests.map(({ body }) => body);
  expect(guest.userName).toMatch(/^[A-Z][a-z]+[A-Z][a-z]+-\d+$/);
  expect((await api.post("/v1/sessions", { name: guest.userName, password: "password" })).body.code).toBe(
    "bad_credentials",
  );

  const own = api.as(guest.accessToken);
  const { body: order } = await own.post("/v1/wallet/deposits", { amountPaise: 50_000 });
  const pay = `/v1/sandbox/deposits/${order.orderId}/pay`;
  expect((await api.as(admin.accessToken).post(pay, {})).body.code).toBe("not_found");
  expect((await own.post(pay, {})).status).toBe(200);
  // The deposit says credited before the wallet has the money.
  while ((await own.get("/v1/wallet")).body.balancePaise === 0) await Bun.sleep(50);
  expect((await own.get("/v1/wallet")).body.balancePaise).toBe(50_000);
  expect((await own.get(`/v1/wallet/deposits/${order.orderId}`)).body.state).toBe("credited");
});

test("a node with a payment provider has neither guests nor free money", async () => {
  const payments = { baseUrl: "http://127.0.0.1:9", keyId: "key", keySecret: "secret" };
  const node = await open({ payments });
  const api = new ApiClient(node.url);
  const refused = await api.post("/v1/sandbox/users", {});
  expect([refused.status, refused.body.code]).toEqual([404, "no_sandbox"]);
  const { body: user } = await api.post("/v1/users", { name: "somebody", password: "long enough" });
  const unpaid = await api.as(user.accessToken).post("/v1/sandbox/deposits/order_1/pay", {});
  expect([unpaid.status, unpaid.body.code]).toEqual([404, "no_sandbox"]);
});
