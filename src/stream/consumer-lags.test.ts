import { expect, test } from "bun:test";
import { ConsumerLags, type Follower } from "./consumer-lags.ts";

const follower = (topic: Follower["topic"], partition: number, nextOffset: number) => ({
  topic,
  partition,
  nextOffset,
});
const log = { endOffset: async (_topic: string, partition: number) => [100, 7][partition]! };

test("the lag of a partition is what its slowest follower has still to do", async () => {
  const lags = new ConsumerLags();
  const slow = follower("team-saves", 0, 40);
  lags.enter(follower("team-saves", 0, 90));
  const leave = lags.enter(slow);
  lags.enter(follower("score-events", 1, 7));
  // It has read what the log acknowledged after we asked for its end.
  lags.enter(follower("player-points", 1, 9));
  const read = async () => (await lags.read(log)).map(([{ topic, partition }, lag]) => `${topic} ${partition}: ${lag}`);
  expect(await read()).toEqual(["team-saves 0: 60", "score-events 1: 0", "player-points 1: 0"]);
  slow.nextOffset = 95;
  expect((await read())[0]).toBe("team-saves 0: 10");
  leave();
  slow.nextOffset = 0;
  expect((await read())[0]).toBe("team-saves 0: 10");
});
