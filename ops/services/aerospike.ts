import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Engine } from "./engine.ts";
import { exchange } from "./exchange.ts";

/** Aerospike is in no distribution: a server is used where somebody has put one. Namespace `test`, kept in a file. */
export const aerospike = {
  name: "aerospike",
  defaultPort: 43_000,
  portCount: 4,
  variable: "TEST_AEROSPIKE_URL",
  stopSignal: "SIGTERM",
  startMsMax: 60_000,
  url: (port) => `aerospike://127.0.0.1:${port}/test`,
  missing: () =>
    server() === null
      ? "no Aerospike server: set ASD=/path/to/asd, or put asd on PATH (ops/compose.yml runs one in Docker)"
      : null,
  async prepare({ directory, ports: [port, fabricPort, heartbeatPort, adminPort], settings }) {
    for (const name of ["data", "smd", "usr/udf/lua"]) await mkdir(join(directory, name), { recursive: true });
    const namespace = { "replication-factor": "1", "nsup-period": "60", ...settings };
    const file = join(directory, "aerospike.conf");
    await writeFile(
      file,
      `service {
  cluster-name powerplay
  work-directory ${directory}
  run-as-daemon false
  proto-fd-max 1024
  service-threads 6
}
logging {
  console {
    context any warning
  }
}
network {
  service {
    address 127.0.0.1
    port ${port}
  }
  fabric {
    address 127.0.0.1
    port ${fabricPort}
  }
  heartbeat {
    mode mesh
    address 127.0.0.1
    port ${heartbeatPort}
    interval 150
    timeout 10
  }
  admin {
    address 127.0.0.1
    port ${adminPort}
  }
}
mod-lua {
  user-path ${join(directory, "usr/udf/lua")}
}
namespace test {
${Object.entries(namespace)
  .map(([name, value]) => `  ${name} ${value}\n`)
  .join("")}  storage-engine device {
    file ${join(directory, "data/test.dat")}
    filesize 1G
  }
}
`,
    );
    return { command: [server()!, "--foreground", "--config-file", file] };
  },
  // It answers questions about itself seconds before it has partitions, without which clients can't connect.
  answers: (port) =>
    exchange(port, infoRequest("partition-generation\n"), (answer) => /\t\d+\n$/.test(answer.toString())),
} satisfies Engine;

function server(): string | null {
  const given = process.env["ASD"];
  return given && existsSync(given) ? given : Bun.which("asd");
}

/** Version 2, type 1 (info), and the length in six bytes. */
function infoRequest(question: string): Uint8Array {
  const request = Buffer.alloc(8 + question.length);
  request[0] = 2;
  request[1] = 1;
  request.writeUIntBE(question.length, 2, 6);
  request.write(question, 8);
  return request;
}
