/** Many followers in one process, over the real protocol; driven by the bench over IPC. */
import { ByteBuffer } from "flatbuffers";
import { ClientIn } from "../../src/edge/socket/generated/powerplay/wire/client-in.ts";
import { Call, Message } from "../../src/edge/socket/generated/wire_generated.ts";
import { readRefusal } from "../../src/client/replies.ts";
import { follow, token, writeCall } from "../../src/client/requests.ts";
import { serveParent, wallMs } from "./ipc.ts";
import { openSwarmSocket, type SwarmEvents, type SwarmSocket } from "./web-socket.ts";

interface OpenRequest {
  readonly port: number;
  /** Sockets are spread over them: a pair of addresses has 28 K ports. */
  readonly hostnames: readonly string[];
  readonly count: number;
  readonly width: number;
  /** Absent for a server that speaks no protocol. */
  readonly protocol?: Protocol;
}

interface Protocol {
  readonly tokens: readonly string[];
  readonly contestId: number;
}

const AUTHENTICATED = 1;
const FOLLOWED = 2;
const sockets: SwarmSocket[] = [];
let openMs = 0;
/** Of own-rank pushes since they were last asked for. */
let arrivalsMs: number[] = [];
let bytesIn = 0;
let frameCount = 0;
let closedCount = 0;

serveParent({
  async open({ port, hostnames, count, width, protocol }: OpenRequest) {
    const startMs = performance.now();
    let next = 0;
    const lane = async () => {
      while (next < count) {
        const index = next++;
        const ready = Promise.withResolvers<void>();
        const events: SwarmEvents = {
          onOpen(socket) {
            if (protocol === undefined) ready.resolve();
            else say(socket, AUTHENTICATED, protocol);
          },
          onFrame: (socket, bytes) => receive(socket, bytes, ready.resolve, protocol),
          onClose(_socket, code) {
            closedCount++;
            ready.reject(new Error(`socket ${index} was closed with ${code}`));
          },
        };
        sockets.push(await openSwarmSocket({ hostname: hostnames[index % hostnames.length]!, port }, index, events));
        await ready.promise;
      }
    };
    await Promise.all(Array.from({ length: width }, lane));
    openMs = performance.now() - startMs;
    return { openMs, openCount: sockets.length - closedCount };
  },
  arrivals() {
    const taken = Float64Array.from(arrivalsMs);
    arrivalsMs = [];
    return { arrivalsMs: taken, frameCount, bytesIn, closedCount };
  },
  close() {
    for (const socket of sockets) socket.close();
    return null;
  },
});

function say(socket: SwarmSocket, requestId: number, { tokens, contestId }: Protocol): void {
  socket.send(
    requestId === AUTHENTICATED
      ? writeCall(Call.Authenticate, requestId, token(tokens[socket.index]!))
      : writeCall(Call.FollowContest, requestId, follow(contestId, 0, 0)),
  );
}

function receive(socket: SwarmSocket, bytes: Uint8Array, ready: () => void, protocol: Protocol | undefined): void {
  frameCount++;
  bytesIn += bytes.length;
  if (protocol === undefined) return;
  const frame = ClientIn.getRootAsClientIn(new ByteBuffer(bytes));
  switch (frame.messageType()) {
    case Message.OwnRank:
      arrivalsMs.push(wallMs());
      break;
    case Message.Session:
      say(socket, FOLLOWED, protocol);
      break;
    case Message.ContestFollowed:
      ready();
      break;
    case Message.Refused: {
      // One address for everybody: its rate is soon used up, and the answer says when to ask again.
      const requestId = frame.requestId();
      const { retryAfterMs } = readRefusal(frame);
      setTimeout(() => say(socket, requestId, protocol), retryAfterMs);
      break;
    }
    default:
  }
}
