import { join } from "node:path";
import { freePorts, type Service, startService } from "./service.ts";

const HEAP_MIB = 256;

/**
 * Brokers that are their own controllers, with every internal topic on all of them: what a cluster of three is in production, on one
 * machine. They share the settings; the first is told `node.id` 1. Resolves when all serve.
 */
export async function startKafkaCluster(
  brokerCount: number,
  directory: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<readonly Service[]> {
  const ports = await freePorts(2 * brokerCount);
  const nodes = Array.from({ length: brokerCount }, (_, index) => ({
    id: index + 1,
    port: ports[2 * index]!,
    controllerPort: ports[2 * index + 1]!,
  }));
  const majority = String(Math.floor(brokerCount / 2) + 1);
  const shared = {
    "controller.quorum.voters": nodes.map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`).join(),
    "offsets.topic.replication.factor": String(brokerCount),
    "transaction.state.log.replication.factor": String(brokerCount),
    "transaction.state.log.min.isr": majority,
    "share.coordinator.state.topic.replication.factor": String(brokerCount),
    "share.coordinator.state.topic.min.isr": majority,
    "min.insync.replicas": majority,
    // Its usual 128 MiB would be half of the heap.
    "log.cleaner.dedupe.buffer.size": String(8 << 20),
  };
  // None serves before most of them vote.
  return Promise.all(
    nodes.map(({ id, port, controllerPort }) =>
      startService("kafka", {
        directory: join(directory, String(id)),
        port,
        heapMiB: HEAP_MIB,
        settings: {
          ...shared,
          "node.id": String(id),
          listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
          ...settings,
        },
      }),
    ),
  );
}
