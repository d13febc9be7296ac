import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Engine } from "./engine.ts";
import { exchange } from "./exchange.ts";
import { classPath, javaMissing, writeProperties } from "./java.ts";

/**
 * One broker that is its own controller. It syncs as Kafka does by default: its promise is replication, which one broker hasn't; what it
 * acknowledged survives its own death, not that of the machine. Topics are made by those who need them, never by a mistyped name.
 */
export const kafka = {
  name: "kafka",
  defaultPort: 49_092,
  portCount: 2,
  variable: "TEST_KAFKA_URL",
  stopSignal: "SIGTERM",
  startMsMax: 120_000,
  url: (port) => `kafka://127.0.0.1:${port}/test`,
  missing: javaMissing,
  async prepare({ directory, ports: [port, controllerPort], settings, heapMiB = 512 }) {
    const jars = await classPath("kafka", directory);
    const data = join(directory, "data");
    const file = join(directory, "server.properties");
    await mkdir(directory, { recursive: true });
    const properties = {
      "process.roles": "broker,controller",
      "node.id": "1",
      "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
      "controller.listener.names": "CONTROLLER",
      listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
      "advertised.listeners": `PLAINTEXT://127.0.0.1:${port}`,
      "log.dirs": data,
      "auto.create.topics.enable": "false",
      "delete.topic.enable": "true",
      "offsets.topic.num.partitions": "4",
      "offsets.topic.replication.factor": "1",
      "transaction.state.log.num.partitions": "4",
      "transaction.state.log.replication.factor": "1",
      "transaction.state.log.min.isr": "1",
      "share.coordinator.state.topic.replication.factor": "1",
      "share.coordinator.state.topic.min.isr": "1",
      "group.initial.rebalance.delay.ms": "0",
      "group.min.session.timeout.ms": "1000",
      // Deleted topics of tests go at once and not after a minute.
      "file.delete.delay.ms": "1000",
      ...settings,
    };
    await writeProperties(file, properties);
    const java = [
      "java",
      `-Xms${Math.ceil(heapMiB / 2)}m`,
      `-Xmx${heapMiB}m`,
      "-XX:+ExitOnOutOfMemoryError",
      "-Dorg.apache.logging.log4j.level=WARN",
    ];
    if (!existsSync(join(data, "meta.properties"))) {
      const clusterId = clusterIdOf(properties["controller.quorum.voters"]);
      const format = ["kafka.tools.StorageTool", "format", "-t", clusterId, "-c", file];
      // It is over before the second compiler would be of use.
      const brief = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"];
      const done = Bun.spawnSync([...java, ...brief, "-cp", jars, ...format], { stdin: "ignore" });
      if (done.exitCode !== 0) throw new Error(`kafka: its storage could not be made\n${done.stderr.toString()}`);
    }
    return { command: [...java, "-cp", jars, "kafka.Kafka", file] };
  },
  answers: (port) => exchange(port, metadataRequest(), namesABroker),
} satisfies Engine;

/** 16 bytes in base64, the same for all who vote. */
const clusterIdOf = (voters: string): string =>
  createHash("sha256").update(voters).digest().subarray(0, 16).toString("base64url");

/** Metadata, version 5, of no topic: https://kafka.apache.org/protocol#The_Messages_Metadata */
function metadataRequest(): Uint8Array {
  const client = "powerplay-services";
  const request = Buffer.alloc(4 + 2 + 2 + 4 + 2 + client.length + 4 + 1);
  request.writeInt32BE(request.length - 4, 0);
  request.writeInt16BE(3, 4);
  request.writeInt16BE(5, 6);
  request.writeInt32BE(1, 8);
  request.writeInt16BE(client.length, 12);
  request.write(client, 14);
  return request;
}

/** Size, correlation, throttle time, and how many brokers serve. */
const namesABroker = (answer: Buffer): boolean => answer.length >= 16 && answer.readInt32BE(12) > 0;
