import { type Topic, TOPICS } from "../port.ts";
import type { Admin } from "./admin.ts";
import { TOPIC_NAMES, topicName } from "./client.ts";
import { ERROR } from "./library.ts";
import type { KafkaAddress } from "./address.ts";

const KNOWN_POLL_MS = 20;

/** Creates the topics that are missing. Throws where one can't be created, or has other partitions than ours. */
export async function ensureTopics(admin: Admin, address: KafkaAddress, timeoutMs: number): Promise<void> {
  await Promise.all(TOPIC_NAMES.map((topic) => ensureTopic(admin, topic, address, timeoutMs)));
}

async function ensureTopic(admin: Admin, topic: Topic, address: KafkaAddress, timeoutMs: number): Promise<void> {
  const { minInsync, prefix, replication, retentionMs } = address;
  const name = topicName(prefix, topic);
  let count = await admin.partitionCount(topic);
  if (count <= 0) {
    const { code, text } = await admin.createTopic(topic, replication, {
      "retention.ms": String(retentionMs),
      "min.insync.replicas": String(minInsync),
      "cleanup.policy": "delete",
    });
    // Another node may have been faster.
    if (code !== 0 && code !== ERROR.topicExists) {
      throw new Error(`the topic ${name} can't be created with ${replication} replicas: ${text}`);
    }
    count = await untilKnown(admin, topic, timeoutMs);
  }
  const { partitionCount } = TOPICS[topic];
  if (count !== partitionCount) {
    throw new Error(
      `the topic ${name} has ${Math.max(0, count)} partitions and must have ${partitionCount}, for keys belong to ` +
        "partitions by that number; delete the topic, or choose another prefix",
    );
  }
}

/** A new topic is not known to every broker at once. */
async function untilKnown(admin: Admin, topic: Topic, timeoutMs: number): Promise<number> {
  const giveUpAtMs = performance.now() + timeoutMs;
  for (;;) {
    const count = await admin.partitionCount(topic);
    if (count > 0 || performance.now() > giveUpAtMs) return count;
    await Bun.sleep(KNOWN_POLL_MS);
  }
}
