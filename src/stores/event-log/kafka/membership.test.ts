import { expect, test } from "bun:test";
import { until } from "../../../testing/until.ts";
import type { KafkaClient, KafkaTrouble } from "./client.ts";
import { Membership } from "./membership.ts";
import type { Wake } from "./wake.ts";

test("a member that was put out and can't open a client at once tries again", async () => {
  const troubles: string[] = [];
  let attempts = 0;
  let tell: (trouble: KafkaTrouble) => void = () => undefined;
  const closed: number[] = [];
  const membership = new Membership({
    openClient: (_, onTrouble) => {
      const attempt = ++attempts;
      if (attempt === 2) throw new Error("no more threads");
      tell = onTrouble;
      const library = { pp_subscribe: () => 0 };
      return { library, poll: () => undefined, close: async () => closed.push(attempt) } as unknown as KafkaClient;
    },
    wake: {} as Wake,
    prefix: "p",
    topic: "team-saves",
    onOwned: () => undefined,
    onTrouble: ({ text }) => troubles.push(text),
    pollMs: 1,
  });
  tell({ code: 1, text: "fenced", isFatal: true });
  await until("it has joined again", () => attempts === 3);
  expect(troubles).toEqual(["fenced", "Error: no more threads"]);
  expect(closed).toEqual([1]);
  await membership.close();
  expect(closed).toEqual([1, 3]);
});
