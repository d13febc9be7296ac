import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Engine } from "./engine.ts";
import { exchange } from "./exchange.ts";
import { classPath, javaMissing } from "./java.ts";

/** One node with a small heap. A write is acknowledged when it is synced, as a node alone has nobody else to remember it. */
export const cassandra = {
  name: "cassandra",
  defaultPort: 49_042,
  portCount: 2,
  variable: "TEST_CASSANDRA_URL",
  stopSignal: "SIGTERM",
  startMsMax: 180_000,
  url: (port) => `cassandra://127.0.0.1:${port}/test`,
  missing: javaMissing,
  async prepare({ directory, ports: [port, storagePort], settings, heapMiB = 1_024 }) {
    const jars = await classPath("cassandra", directory);
    const folder = (name: string) => join(directory, "data", name);
    await mkdir(folder("data"), { recursive: true });
    const yaml = {
      cluster_name: "powerplay",
      num_tokens: "4",
      partitioner: "org.apache.cassandra.dht.Murmur3Partitioner",
      endpoint_snitch: "SimpleSnitch",
      seed_provider: `[{class_name: org.apache.cassandra.locator.SimpleSeedProvider, parameters: [{seeds: "127.0.0.1:${storagePort}"}]}]`,
      listen_address: "127.0.0.1",
      rpc_address: "127.0.0.1",
      storage_port: String(storagePort),
      native_transport_port: String(port),
      data_file_directories: `[${folder("data")}]`,
      commitlog_directory: folder("commitlog"),
      saved_caches_directory: folder("saved_caches"),
      hints_directory: folder("hints"),
      cdc_raw_directory: folder("cdc_raw"),
      commitlog_sync: "batch",
      commitlog_segment_size: "8MiB",
      commitlog_total_space: "256MiB",
      memtable_heap_space: "128MiB",
      memtable_offheap_space: "128MiB",
      key_cache_size: "16MiB",
      file_cache_size: "64MiB",
      networking_cache_size: "32MiB",
      concurrent_compactors: "1",
      auto_snapshot: "false",
      ...settings,
    };
    const lines = Object.entries(yaml).map(([name, value]) => `${name}: ${value}\n`);
    await writeFile(join(directory, "cassandra.yaml"), lines.join(""));
    await writeFile(join(directory, "logback.xml"), LOGBACK);
    return {
      command: [
        "java",
        `-Xms${Math.ceil(heapMiB / 2)}m`,
        `-Xmx${heapMiB}m`,
        "-XX:+ExitOnOutOfMemoryError",
        ...MODULES,
        `-Dcassandra.config=file://${join(directory, "cassandra.yaml")}`,
        `-Dcassandra.storagedir=${join(directory, "data")}`,
        `-Dlogback.configurationFile=${join(directory, "logback.xml")}`,
        // Nobody else is there to wait for.
        "-Dcassandra.skip_wait_for_gossip_to_settle=0",
        "-Dcassandra.ring_delay_ms=100",
        "-Dcassandra-foreground=yes",
        "-cp",
        jars,
        "org.apache.cassandra.service.CassandraDaemon",
      ],
    };
  },
  // OPTIONS in version 4 of the native protocol, answered by SUPPORTED.
  answers: (port) => exchange(port, new Uint8Array([4, 0, 0, 0, 5, 0, 0, 0, 0]), (answer) => answer[4] === 6),
} satisfies Engine;

/** What Cassandra uses of Java's inside (its conf/jvm17-server.options). */
const MODULES = [
  ...[
    "java.base/jdk.internal.misc",
    "java.management.rmi/com.sun.jmx.remote.internal.rmi",
    "java.rmi/sun.rmi.registry",
    "java.rmi/sun.rmi.server",
    "java.sql/java.sql",
    "java.base/java.lang.ref",
    "jdk.unsupported/sun.misc",
    "jdk.attach/sun.tools.attach",
  ].map((module) => `--add-exports=${module}=ALL-UNNAMED`),
  ...[
    "java.base/java.lang.module",
    "java.base/jdk.internal.loader",
    "java.base/jdk.internal.ref",
    "java.base/jdk.internal.reflect",
    "java.base/jdk.internal.math",
    "java.base/jdk.internal.module",
    "java.base/jdk.internal.util.jar",
    "jdk.management/com.sun.management.internal",
    "java.base/sun.nio.ch",
    "java.base/java.io",
    "java.base/java.lang.reflect",
    "java.base/java.lang",
    "java.base/java.util",
    "java.base/java.nio",
  ].map((module) => `--add-opens=${module}=ALL-UNNAMED`),
  "-Djdk.attach.allowAttachSelf=true",
  "-Dio.netty.tryReflectionSetAccessible=true",
];

const LOGBACK = `<configuration>
  <appender name="out" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%-5level [%thread] %date{ISO8601} %logger{0} - %msg%n</pattern></encoder>
  </appender>
  <root level="WARN"><appender-ref ref="out" /></root>
</configuration>
`;
