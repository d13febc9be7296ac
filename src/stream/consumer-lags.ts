import type { Reading } from "../metrics.ts";
import type { EventLog, Topic } from "../stores/event-log/port.ts";

/** One who follows a partition. */
export interface Follower {
  readonly topic: Topic;
  readonly partition: number;
  /** What it has not handled yet begins here. */
  readonly nextOffset: number;
}

/** Who follows which partition of the log, and how far each has come. */
export class ConsumerLags {
  readonly #followers = new Set<Follower>();

  /** Answers the way out. */
  enter(follower: Follower): () => void {
    this.#followers.add(follower);
    return () => void this.#followers.delete(follower);
  }

  /** How many records of each followed partition its slowest follower has still to handle. */
  async read(log: Pick<EventLog, "endOffset">): Promise<readonly Reading[]> {
    const slowest = new Map<string, Follower>();
    for (const follower of this.#followers) {
      const key = `${follower.topic} ${follower.partition}`;
      if (follower.nextOffset < (slowest.get(key)?.nextOffset ?? Number.POSITIVE_INFINITY)) slowest.set(key, follower);
    }
    return Promise.all(
      Array.from(slowest.values(), async ({ topic, partition, nextOffset }): Promise<Reading> => {
        const end = await log.endOffset(topic, partition);
        return [{ topic, partition: String(partition) }, Math.max(0, end - nextOffset)];
      }),
    );
  }
}
