import { expect, test } from "bun:test";
import { bytesOf, textOf } from "../stores/contract.ts";
import { forEachRecord } from "../stores/event-log/port.ts";
import { openSimulatedEventLog } from "../testing/simulated-event-log.ts";
import { until } from "../testing/until.ts";
import { Consumer } from "./consumer.ts";

const BYTES_MAX = 8;

/** A consumer that rests until it is told to go on. */
function openWorld() {
  const log = openSimulatedEventLog();
  const batches: string[][] = [];
  const rests: (() => void)[] = [];
  const consumer = new Consumer({
    log,
    topic: "team-saves",
    partition: 0,
    bytesMax: BYTES_MAX,
    waitMs: 5,
    retryMs: 1,
    restMs: 100,
    position: async () => 0,
    async handle(batch) {
      const texts: string[] = [];
      forEachRecord(batch, (value) => texts.push(textOf(value)));
      batches.push(texts);
    },
    onTrouble(error) {
      throw error;
    },
    pause: () => new Promise((resolve) => void rests.push(resolve)),
  });
  const append = (text: string) => log.append("team-saves", 0, bytesOf(text));
  return { append, batches, consumer, rests };
}

test("what comes while a consumer rests is one batch", async () => {
  const { append, batches, consumer, rests } = openWorld();
  await append("a");
  await until("it rests", () => rests.length === 1);
  for (const text of ["b", "c", "d"]) await append(text);
  rests[0]!();
  await consumer.reached(4);
  expect(batches).toEqual([["a"], ["b", "c", "d"]]);
  await until("it rests again", () => rests.length === 2);
  const stopping = consumer.stop();
  rests[1]!();
  await stopping;
});

test("a consumer that is behind does not rest", async () => {
  const { append, batches, consumer, rests } = openWorld();
  await append("a");
  await until("it rests", () => rests.length === 1);
  for (let index = 0; index < 3; index++) await append("12345678");
  await append("z");
  rests[0]!();
  await consumer.reached(5);
  expect(batches).toEqual([["a"], ["12345678"], ["12345678"], ["12345678"], ["z"]]);
  await until("it rests again", () => rests.length === 2);
  const stopping = consumer.stop();
  rests[1]!();
  await stopping;
});
