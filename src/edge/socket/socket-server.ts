import type { Server, ServerWebSocket, WebSocketHandler } from "bun";
import { ByteBuffer } from "flatbuffers";
import type { Gateway } from "../../realtime/gateway/gateway.ts";
import type { Counter, Gauge, Metrics } from "../../metrics.ts";
import { Session } from "../../realtime/gateway/session.ts";
import type { FrontDesk } from "../front-desk.ts";
import { Problem, type ProblemCode, refused } from "../problem.ts";
import { Admission, type AdmissionLimits } from "./admission.ts";
import { AnswerQueue } from "./answer-queue.ts";
import { writeRefused, writeWelcome } from "./answers.ts";
import { type CallContext, CALLS, type WireCall } from "./calls.ts";
import { CLOSE, type CloseReason } from "./close-codes.ts";
import { writeFrame } from "./frame-writer.ts";
import { ClientOut } from "./generated/powerplay/wire/client-out.ts";
import { SHAPES } from "./generated/shapes.ts";
import { Message, MoveAway, Nothing } from "./generated/wire_generated.ts";
import { isOriginAllowed } from "./origin.ts";
import { SUBPROTOCOL } from "./subprotocol.ts";
import { FrameVerifier } from "./verify.ts";

export interface SocketLimits extends AdmissionLimits {
  readonly frameBytesMax: number;
  readonly framesPerSecondMax: number;
  readonly callsUnderWayMax: number;
  readonly bufferedBytesMax: number;
  readonly compressBytesMin: number;
  readonly pingAfterMs: number;
  readonly idleMs: number;
  readonly followsMax: number;
}

export interface SocketOptions {
  readonly desk: FrontDesk;
  readonly context: CallContext;
  readonly gateway: Gateway;
  readonly limits: SocketLimits;
  readonly origins: readonly string[];
  readonly metrics: Metrics;
  readonly ready: () => boolean;
  readonly nowMs: () => number;
  /** Whether clients are told that this node is for trying out. */
  readonly sandbox: boolean;
  readonly onTrouble: (error: unknown) => void;
}

type Socket = ServerWebSocket<Session>;

const SWEEPS_PER_PING = 10;

/**
 * The binary socket: its upgrade, its frames, its end. What a frame asks is answered by the front desk, as over HTTP; what
 * is malformed ends the socket with a code that says so. No handler throws.
 */
export class SocketServer {
  readonly #options: SocketOptions;
  readonly #admission: Admission;
  readonly #verifier = new FrameVerifier(SHAPES, "ClientOut");
  readonly #sessions = new Set<Session>();
  readonly #answers: AnswerQueue;
  readonly #sweeper: Timer;
  readonly #refusedCounter: Counter;
  readonly #endedCounter: Counter;
  readonly #pausedGauge: Gauge;
  #draining = false;

  constructor(options: SocketOptions) {
    this.#options = options;
    this.#admission = new Admission(options.limits);
    this.#answers = new AnswerQueue(options.limits.compressBytesMin, (session) => this.#end(session, "slow"));
    const { metrics } = options;
    metrics.gaugeRead("powerplay_sockets_open", "Sockets that are open.", () => this.socketCount);
    this.#pausedGauge = metrics.gauge("powerplay_sockets_paused", "Sockets whose client does not read what is pushed.");
    this.#refusedCounter = metrics.counter("powerplay_sockets_refused_total", "Sockets that were not opened, by why.");
    this.#endedCounter = metrics.counter("powerplay_sockets_ended_total", "Sockets that the node ended, by why.");
    this.#sweeper = setInterval(() => this.#sweep(), options.limits.pingAfterMs / SWEEPS_PER_PING);
  }

  get socketCount(): number {
    return this.#admission.count;
  }

  /** The answer to a request at the socket's path; undefined once it is a socket. */
  upgrade(request: Request, server: Server<Session>): Response | undefined {
    const address = server.requestIP(request)?.address ?? "nowhere";
    const refusal = this.#upgradeRefusal(request, address);
    if (refusal === null) {
      const data = new Session(address, performance.now(), this.#options.limits.framesPerSecondMax);
      if (server.upgrade(request, { data, headers: { "sec-websocket-protocol": SUBPROTOCOL } })) return undefined;
      this.#admission.leave(address);
    }
    const code = refusal ?? "upgrade_required";
    this.#refusedCounter.add({ code });
    return refused(code).response();
  }

  /** null: may be a socket, and has been counted as one. */
  #upgradeRefusal({ headers }: Request, address: string): ProblemCode | null {
    const { origins, ready } = this.#options;
    if (this.#draining || !ready()) return "not_ready";
    if (headers.get("upgrade")?.toLowerCase() !== "websocket") return "upgrade_required";
    if (!isOriginAllowed(headers.get("origin"), headers.get("host"), origins)) return "origin_refused";
    const offered = (headers.get("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim());
    if (!offered.includes(SUBPROTOCOL)) return "subprotocol_unknown";
    return this.#admission.enter(address) ? null : "too_many_sockets";
  }

  readonly handler: WebSocketHandler<Session> = {
    open: (socket) => this.#open(socket),
    message: (socket, data) => this.#message(socket.data, data),
    pong: ({ data: session }) => {
      session.silentSweeps = 0;
    },
    drain: ({ data: session }) => session.drained(),
    close: ({ data: session }) => this.#close(session),
    error: (error) => this.#options.onTrouble(error),
  };

  /**
   * Tells every socket to move, each after its own share of `windowMs`, and ends it then, once what it asked is answered.
   * Resolves when none is left.
   */
  async drain(windowMs: number, patienceMs: number): Promise<void> {
    this.#draining = true;
    clearInterval(this.#sweeper);
    const leave = async (session: Session) => {
      const afterMs = Math.round(Math.random() * windowMs);
      session.connection?.sendBinary(
        writeFrame(Message.MoveAway, 0, (builder) => MoveAway.createMoveAway(builder, afterMs)),
      );
      await Bun.sleep(afterMs);
      // A call that never ends must not keep the node.
      await session.answered(patienceMs);
      this.#answers.flush();
      this.#end(session, "moved");
    };
    await Promise.all(Array.from(this.#sessions, leave));
  }

  #open(socket: Socket): void {
    const session = socket.data;
    session.connection = socket;
    this.#sessions.add(session);
    const { nowMs, sandbox } = this.#options;
    const welcome = { nowMs: nowMs(), sandbox };
    socket.sendBinary(writeFrame(Message.Welcome, 0, (builder) => writeWelcome(builder, welcome)));
  }

  #close(session: Session): void {
    this.#sessions.delete(session);
    this.#admission.leave(session.address);
    if (session.userId !== null) this.#admission.signOut(session.userId);
    session.gone();
  }

  #message(session: Session, data: string | Uint8Array): void {
    const { limits } = this.#options;
    const nowMs = performance.now();
    session.silentSweeps = 0;
    if (!session.takeFrame(nowMs, limits.framesPerSecondMax)) return this.#end(session, "tooManyFrames");
    if (typeof data === "string") return this.#end(session, "notBinary");
    if (!this.#verifier.isWellFormed(data)) return this.#end(session, "malformed");
    const frame = ClientOut.getRootAsClientOut(new ByteBuffer(data));
    const requestId = frame.requestId();
    if (requestId === 0) return this.#end(session, "malformed");
    const call = CALLS[frame.callType()];
    if (call === undefined) return this.#refuse(session, requestId, refused("unknown_call"));
    // A known member is a table that the verifier has seen, or it is not there at all.
    if (frame.call(new Nothing()) === null) return this.#end(session, "malformed");
    if (session.callsUnderWay >= limits.callsUnderWayMax) {
      return this.#refuse(session, requestId, new Problem("rate_limited", "Too many calls are under way."));
    }
    session.callBegins();
    void this.#answer(session, requestId, frame, call);
  }

  async #answer(session: Session, requestId: number, frame: ClientOut, call: WireCall): Promise<void> {
    try {
      const { context, desk, gateway } = this.#options;
      const answer = await desk.ask(call.route, session, () => call.letter(frame, context));
      if (session.connection === null) return;
      if (answer instanceof Problem) return this.#refuse(session, requestId, answer);
      const json = answer.json as never;
      if (call.signsIn !== undefined && !(await this.#signIn(session, call.signsIn(json, frame)))) return;
      if (call.follow !== undefined) {
        if (session.followCount >= this.#options.limits.followsMax) {
          return this.#refuse(session, requestId, refused("too_many_follows"));
        }
        await call.follow(gateway, session, json, frame, (write) => {
          this.#answers.push(session, writeFrame(call.message, requestId, write));
          // Pushes build on this answer, and they do not queue.
          this.#answers.flush();
        });
        return;
      }
      call.unfollow?.(gateway, session, frame);
      this.#answers.push(
        session,
        writeFrame(call.message, requestId, (builder) => call.write(builder, json)),
      );
    } catch (error) {
      this.#options.onTrouble(error);
      this.#refuse(session, requestId, refused("internal"));
    } finally {
      session.callEnds();
    }
  }

  /** The token was verified by the call; asking again costs a look-up. */
  async #signIn(session: Session, token: string): Promise<boolean> {
    const caller = await this.#options.desk.caller(token);
    if (typeof caller === "string") return true;
    session.token = token;
    if (session.userId === caller.userId) return true;
    if (session.connection === null) return false;
    if (session.userId !== null) this.#admission.signOut(session.userId);
    session.userId = null;
    if (!this.#admission.signIn(caller.userId)) {
      this.#end(session, "tooManySockets");
      return false;
    }
    session.identify(caller.userId);
    return true;
  }

  #refuse(session: Session, requestId: number, problem: Problem): void {
    this.#answers.push(
      session,
      writeFrame(Message.Refused, requestId, (builder) => writeRefused(builder, problem)),
    );
  }

  #end(session: Session, why: CloseReason): void {
    if (session.connection === null) return;
    this.#endedCounter.add({ why });
    session.connection.close(...CLOSE[why]);
  }

  #sweep(): void {
    const { idleMs, pingAfterMs } = this.#options.limits;
    const idleSweeps = Math.ceil((idleMs * SWEEPS_PER_PING) / pingAfterMs);
    let pausedCount = 0;
    for (const session of this.#sessions) {
      if (session.isPaused) pausedCount++;
      const silentSweeps = ++session.silentSweeps;
      if (silentSweeps >= idleSweeps) this.#end(session, "idle");
      else if (silentSweeps === SWEEPS_PER_PING) session.connection?.ping();
    }
    this.#pausedGauge.set(pausedCount);
  }
}
