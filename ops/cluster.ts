import { readFileSync } from "node:fs";
import { z } from "zod";

/** A process on this machine, started and stopped by its pid file. */
const local = z.strictObject({
  command: z.array(z.string()).min(1),
  env: z.record(z.string(), z.string()).default({}),
  pidFile: z.string(),
  /** What it prints goes to its end. */
  logFile: z.string(),
});

/** A systemd unit on a machine that ssh reaches without a question. */
const ssh = z.strictObject({ host: z.string().min(1), unit: z.string().min(1) });

const address = z.string().regex(/^[^\s:/]+:\d+$/, "host:port");

const node = z.strictObject({
  name: z.string().regex(/^[\w.-]+$/),
  /** Nodes of one group are restarted one after the other; what a group shares (a rack, a zone) is up to the operator. */
  group: z.string().min(1),
  /** Where the balancer reaches it. */
  address,
  /** Where its /readyz answers, as seen from the machine that it is on. */
  ops: address,
  /** Absent: something else restarts it, and the balancer alone knows it. */
  how: z.union([z.strictObject({ local }), z.strictObject({ ssh })]).optional(),
});

const cluster = z
  .strictObject({
    /** Where the balancer listens. */
    listen: address,
    nodes: z.array(node).min(1),
  })
  .superRefine(({ nodes }, context) => {
    for (const key of ["name", "address"] as const) {
      const values = nodes.map((node) => node[key]);
      const twice = values.find((value, index) => values.indexOf(value) !== index);
      if (twice !== undefined)
        context.addIssue({ code: "custom", path: ["nodes"], message: `${key} ${twice} is there twice` });
    }
  });

export type Cluster = z.output<typeof cluster>;
export type ClusterNode = Cluster["nodes"][number];
export type LocalProcess = z.output<typeof local>;
export type SshUnit = z.output<typeof ssh>;

/** Reads a cluster file; what is wrong with it is thrown, each fault with its place. */
export function readCluster(file: string): Cluster {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Error(`${file} can't be read: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  const read = cluster.safeParse(json);
  if (read.success) return read.data;
  const faults = read.error.issues.map(({ path, message }) => `  ${path.join(".")}: ${message}`);
  throw new Error(`${file} is no cluster file (see ops/cluster.example.json):\n${faults.join("\n")}`);
}
