export interface BalancedNode {
  readonly name: string;
  /** host:port, as the balancer reaches it. */
  readonly address: string;
  /** Where its /readyz answers, on the same host. */
  readonly opsPort: number;
}

export interface BalancerOptions {
  /** host:port for clients. */
  readonly listen: string;
  readonly nodes: readonly BalancedNode[];
  /** Connections of all clients together; each takes two descriptors. */
  readonly connectionsMax?: number;
  /** How often each node is asked whether it is ready. */
  readonly checkMs?: number;
  /** A node that has come back gets its full share of new connections only after so long. */
  readonly slowStartMs?: number;
  /** host:port of the balancer's own numbers, for Prometheus. */
  readonly metrics?: string;
}

/**
 * HAProxy as what a network load balancer is: it passes TCP on and knows nothing of what is in it. A node that is not ready gets no new
 * connections and keeps those it has, for it tells its clients to move by itself (DRAIN_MS). Connections live for hours, so the one with
 * the fewest gets the next.
 *
 * Behind it all clients have its address: a node's limits by address count them together, where a cloud's balancer keeps them apart.
 */
export function haproxyConfig(options: BalancerOptions): string {
  const { listen, nodes, connectionsMax = 100_000, checkMs = 500, slowStartMs = 10_000, metrics } = options;
  const servers = nodes.map(({ name, address, opsPort }) => `  server ${name} ${address} check port ${opsPort}`);
  return `global
  maxconn ${connectionsMax}
  log stdout format raw local0 notice

defaults
  mode tcp
  log global
  timeout connect 1s
  # A client that is there is heard of every 25 s.
  timeout client 90s
  timeout server 90s
  timeout check ${Math.max(checkMs, 1_000)}ms
  # A connection that a node refuses goes to another one.
  retries 3
  option redispatch 1

frontend clients
  bind ${listen}
  default_backend nodes

backend nodes
  balance leastconn
  option httpchk GET /readyz
  http-check expect status 200
  default-server inter ${checkMs}ms fall 2 rise 1 slowstart ${slowStartMs}ms
${servers.join("\n")}
${metrics === undefined ? "" : metricsFrontend(metrics)}`;
}

const metricsFrontend = (listen: string): string => `
frontend metrics
  mode http
  bind ${listen}
  timeout client 10s
  http-request use-service prometheus-exporter if { path /metrics }
`;
