/** Users who save teams again and again, in one process, over the real protocol; driven by the bench over IPC. */
import { ByteBuffer } from "flatbuffers";
import { readRefusal } from "../../src/client/replies.ts";
import { saveTeam, token, writeCall } from "../../src/client/requests.ts";
import { ClientIn } from "../../src/edge/socket/generated/powerplay/wire/client-in.ts";
import { Call, Message } from "../../src/edge/socket/generated/wire_generated.ts";
import { serveParent } from "./ipc.ts";
import { openSwarmSocket, type SwarmSocket } from "./web-socket.ts";

interface OpenRequest {
  readonly port: number;
  readonly matchId: number;
  readonly tokens: readonly string[];
  readonly rosters: readonly Uint8Array[];
  /** Calls under way on one socket. */
  readonly depth: number;
  /** A socket begins no call sooner than this after its last. */
  readonly pauseMs: number;
}

const AUTHENTICATED = 1;
interface Saver {
  readonly socket: SwarmSocket;
  readonly sentMs: Float64Array;
}
const savers: Saver[] = [];
let frames: readonly Uint8Array[] = [];
let pauseMs = 0;
let running = false;
/** Of the run that is under way; timers of an earlier one do nothing. */
let runNo = 0;
let timesMs: number[] = [];
let underWay = 0;
let refusedCount = 0;
let idle: PromiseWithResolvers<void> | null = null;
let opening: PromiseWithResolvers<void>;

serveParent({
  async open(request: OpenRequest) {
    pauseMs = request.pauseMs;
    // One frame a slot: encoding is not what is measured.
    frames = Array.from({ length: request.depth }, (_, slot) =>
      writeCall(
        Call.SaveTeam,
        AUTHENTICATED + 1 + slot,
        saveTeam(request.matchId, 1, request.rosters[slot % request.rosters.length]!),
      ),
    );
    for (const [index, accessToken] of request.tokens.entries()) {
      opening = Promise.withResolvers();
      const socket = await openSwarmSocket({ hostname: "127.0.0.1", port: request.port }, index, {
        onOpen: (opened) => opened.send(writeCall(Call.Authenticate, AUTHENTICATED, token(accessToken))),
        onFrame: receive,
        onClose: (_socket, code) => {
          if (running) throw new Error(`socket ${index} was closed with ${code}`);
        },
      });
      savers.push({ socket, sentMs: new Float64Array(request.depth) });
      await opening.promise;
    }
  },
  async run({ forMs }: { forMs: number }) {
    timesMs = [];
    refusedCount = 0;
    running = true;
    runNo++;
    const startMs = performance.now();
    // Users do not begin together.
    for (const saver of savers) {
      for (const slot of frames.keys()) setTimeout(save, Math.random() * pauseMs, saver, slot, runNo);
    }
    await Bun.sleep(forMs);
    running = false;
    idle = Promise.withResolvers();
    if (underWay > 0) await idle.promise;
    const seconds = (performance.now() - startMs) / 1_000;
    const sorted = Float64Array.from(timesMs).sort();
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
    const { user, system } = process.cpuUsage();
    return {
      count: sorted.length,
      perSecond: sorted.length / seconds,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      refusedCount,
      user,
      system,
    };
  },
});

function save(saver: Saver, slot: number, ofRun: number): void {
  if (!running || ofRun !== runNo) return;
  underWay++;
  saver.sentMs[slot] = performance.now();
  saver.socket.send(frames[slot]!);
}

function receive(socket: SwarmSocket, bytes: Uint8Array): void {
  const frame = ClientIn.getRootAsClientIn(new ByteBuffer(bytes));
  const requestId = frame.requestId();
  if (requestId === 0) return;
  if (requestId === AUTHENTICATED) {
    if (frame.messageType() === Message.Session) opening.resolve();
    else opening.reject(new Error(readRefusal(frame).message));
    return;
  }
  const saver = savers[socket.index]!;
  const slot = requestId - AUTHENTICATED - 1;
  const nowMs = performance.now();
  const tookMs = nowMs - saver.sentMs[slot]!;
  underWay--;
  if (frame.messageType() === Message.TeamSaved) timesMs.push(tookMs);
  else refusedCount++;
  if (!running) {
    if (underWay === 0) idle?.resolve();
    return;
  }
  const waitMs = pauseMs - tookMs;
  if (waitMs <= 0) save(saver, slot, runNo);
  else setTimeout(save, waitMs, saver, slot, runNo);
}
