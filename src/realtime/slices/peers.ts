import { PeerClient, PeerServer } from "../../cluster/peers.ts";
import { SliceOwners } from "../../cluster/slice-owners.ts";
import type { Slices } from "../../cluster/slices.ts";
import type { Config, limits } from "../../config.ts";
import type { Clock } from "../../domain/clock.ts";
import type { EventLog } from "../../stores/event-log/port.ts";
import type { ConsumerOptions } from "../../stream/consumer.ts";
import { peerSlices, sliceHandlers } from "./peer-slices.ts";
import type { SliceQuestions } from "./slice-questions.ts";

export interface JoinPeersDeps {
  readonly config: Pick<Config, "clusterSecret" | "nodeId" | "peerHost" | "peerPort" | "peerUrl">;
  readonly log: EventLog;
  readonly slices: Slices;
  readonly local: SliceQuestions;
  readonly clock: Clock;
  readonly consumer: Pick<ConsumerOptions, "bytesMax" | "waitMs" | "retryMs" | "onTrouble">;
  readonly limits: Pick<typeof limits.cluster, "owners" | "peers">;
  readonly onTrouble: (error: unknown) => void;
}

export interface Peers {
  /** The owner of a slice that is not this node's; null while nobody is known to have it. */
  ownerOf(slice: number): SliceQuestions | null;
  stop(): Promise<void>;
}

/** Lets other nodes ask this one for its slices, says where, and learns where to ask for theirs. */
export function joinPeers({ config, log, slices, local, clock, consumer, limits, onTrouble }: JoinPeersDeps): Peers {
  const secret = config.clusterSecret;
  const server = PeerServer.start({
    host: config.peerHost,
    port: config.peerPort,
    url: config.peerUrl,
    secret,
    bodyBytesMax: limits.peers.bodyBytesMax,
    handlers: sliceHandlers(local),
    onTrouble,
  });
  const client = new PeerClient({ secret, ...limits.peers });
  const owners = new SliceOwners({
    log,
    slices,
    self: { nodeId: config.nodeId, url: server.url },
    clock,
    ...limits.owners,
    consumer,
  });
  return {
    ownerOf(slice) {
      const owner = owners.ownerOf(slice);
      // Its last owner was this node, and the next has not spoken yet.
      if (owner === null || owner.nodeId === config.nodeId) return null;
      return peerSlices((question, argument) => client.call(owner.url, question, argument));
    },
    async stop() {
      await owners.stop();
      await server.stop();
    },
  };
}
