import { ByteBuffer } from "flatbuffers";
import { mayReconnect } from "../edge/socket/close-codes.ts";
import { ClientIn } from "../edge/socket/generated/powerplay/wire/client-in.ts";
import { Call, Message, Welcome } from "../edge/socket/generated/wire_generated.ts";
import { SUBPROTOCOL } from "../edge/socket/subprotocol.ts";
import { type Answer, done, notDone } from "./answer.ts";
import { readRefusal, tableOf } from "./replies.ts";
import { nothing, writeCall, type WriteTable } from "./requests.ts";

/**
 * closed: nothing is tried · connecting: a socket is being opened · greeting: it is open, and whatever must be said first is
 * being said · open · waiting: for the next attempt.
 */
export type ConnectionState = "closed" | "connecting" | "greeting" | "open" | "waiting";

export interface ConnectionTimes {
  /** The first retry comes within this, each further one within twice the one before. */
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  readonly callTimeoutMs: number;
  /** After so long without a word the client asks whether the node is there, and after as long again it connects anew. */
  readonly silenceMs: number;
}

const TIMES: ConnectionTimes = { backoffMinMs: 250, backoffMaxMs: 10_000, callTimeoutMs: 20_000, silenceMs: 20_000 };

export interface ConnectionOptions {
  readonly url: string;
  readonly times?: Partial<ConnectionTimes>;
  /** [0, 1) */
  readonly random?: () => number;
  readonly openSocket?: (url: string, subprotocol: string) => WebSocket;
}

export interface ConnectionEvents {
  /** Says what must be said first on a new socket, by `urgent` calls. false: it could not be said; try another socket. */
  readonly greet: () => Promise<boolean>;
  readonly onPush: (message: Message, frame: ClientIn) => void;
  readonly onState: (state: ConnectionState) => void;
  /** The node has said its time, and whether it is for trying out. */
  readonly onWelcome: () => void;
}

interface PendingCall {
  readonly frame: Uint8Array;
  /** Doing it twice is doing it once, so it is sent again on the next socket. */
  readonly repeatable: boolean;
  readonly settle: (frame: ClientIn | null, why: "answered" | "closed" | "disconnected" | "timeout") => void;
  sent: boolean;
  sendCount: number;
}

/** A call that ends every socket that it is sent on is not sent for ever. */
const SENDS_MAX = 3;

export interface CallOptions {
  readonly repeatable?: boolean;
  readonly urgent?: boolean;
}

/**
 * One socket to the node at a time, opened again whenever it ends. Calls made meanwhile wait; those under way when a socket
 * ends are sent again on the next one, unless doing them twice would be wrong.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #events: ConnectionEvents;
  readonly #times: ConnectionTimes;
  readonly #random: () => number;
  readonly #calls = new Map<number, PendingCall>();
  #state: ConnectionState = "closed";
  #socket: WebSocket | null = null;
  #lastRequestId = 0;
  #attempts = 0;
  #openedMs = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #silenceTimer: ReturnType<typeof setTimeout> | undefined;
  #clockAheadMs = 0;
  #isSandbox = false;

  constructor(options: ConnectionOptions, events: ConnectionEvents) {
    this.#options = options;
    this.#events = events;
    this.#times = { ...TIMES, ...options.times };
    this.#random = options.random ?? Math.random;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** The node's clock, as near as one message tells. */
  nowMs(): number {
    return Date.now() + this.#clockAheadMs;
  }

  /** As the last welcome said. */
  get isSandbox(): boolean {
    return this.#isSandbox;
  }

  open(): void {
    if (this.#state === "closed") this.#connect();
  }

  close(): void {
    clearTimeout(this.#retryTimer);
    this.#drop();
    this.#move("closed");
    for (const call of this.#calls.values()) call.settle(null, "closed");
    this.#calls.clear();
  }

  call<T>(
    call: Call,
    write: WriteTable,
    read: (frame: ClientIn) => T,
    { repeatable = true, urgent = false }: CallOptions = {},
  ): Promise<Answer<T>> {
    if (this.#state === "closed") return Promise.resolve(notDone("closed", "The client is not connected."));
    this.#lastRequestId = (this.#lastRequestId % 0xffff_ffff) + 1;
    const requestId = this.#lastRequestId;
    return new Promise((resolve) => {
      const timer = setTimeout(() => pending.settle(null, "timeout"), this.#times.callTimeoutMs);
      const pending: PendingCall = {
        frame: writeCall(call, requestId, write),
        repeatable: repeatable && !urgent,
        sent: false,
        sendCount: 0,
        settle: (frame, why) => {
          clearTimeout(timer);
          this.#calls.delete(requestId);
          if (why !== "answered") {
            resolve(notDone(why, why === "timeout" ? "The node did not answer in time." : "The connection ended."));
          } else if (frame!.messageType() === Message.Refused) resolve({ ok: false, refusal: readRefusal(frame!) });
          else resolve(done(read(frame!)));
        },
      };
      this.#calls.set(requestId, pending);
      if (this.#state === "open" || (urgent && this.#state === "greeting")) this.#send(pending);
    });
  }

  #send(call: PendingCall): void {
    call.sent = true;
    call.sendCount++;
    this.#socket?.send(call.frame as Uint8Array<ArrayBuffer>);
  }

  #connect(): void {
    this.#move("connecting");
    const { openSocket = (url, subprotocol) => new WebSocket(url, subprotocol), url } = this.#options;
    const socket = openSocket(url, SUBPROTOCOL);
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => {
      if (socket === this.#socket) void this.#greet(socket);
    });
    socket.addEventListener("message", ({ data }) => {
      if (socket === this.#socket) this.#receive(new Uint8Array(data as ArrayBuffer));
    });
    socket.addEventListener("close", ({ code }) => {
      if (socket === this.#socket) this.#lost(mayReconnect(code));
    });
  }

  async #greet(socket: WebSocket): Promise<void> {
    this.#move("greeting");
    this.#listen();
    const greeted = await this.#events.greet();
    if (socket !== this.#socket) return;
    if (!greeted) {
      this.#drop();
      this.#lost(true);
      return;
    }
    this.#openedMs = performance.now();
    this.#move("open");
    for (const call of this.#calls.values()) if (!call.sent) this.#send(call);
  }

  #receive(bytes: Uint8Array): void {
    this.#listen();
    const frame = ClientIn.getRootAsClientIn(new ByteBuffer(bytes));
    const message = frame.messageType();
    if (message === Message.Welcome) {
      const welcome = tableOf(frame, Welcome);
      this.#clockAheadMs = welcome.nowMs() - Date.now();
      this.#isSandbox = welcome.sandbox();
      this.#events.onWelcome();
    }
    const requestId = frame.requestId();
    if (requestId !== 0) this.#calls.get(requestId)?.settle(frame, "answered");
    else this.#events.onPush(message, frame);
  }

  /** Starts waiting for the next word. */
  #listen(): void {
    clearTimeout(this.#silenceTimer);
    const { silenceMs } = this.#times;
    this.#silenceTimer = setTimeout(() => {
      void this.call(Call.Ping, nothing, () => undefined, { urgent: true });
      this.#silenceTimer = setTimeout(() => {
        this.#drop();
        this.#lost(true);
      }, silenceMs);
    }, silenceMs);
  }

  #drop(): void {
    clearTimeout(this.#silenceTimer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #lost(again: boolean): void {
    this.#socket = null;
    clearTimeout(this.#silenceTimer);
    for (const call of this.#calls.values()) {
      if (call.sent && (!call.repeatable || call.sendCount >= SENDS_MAX)) call.settle(null, "disconnected");
      call.sent = false;
    }
    if (!again) {
      this.close();
      return;
    }
    const { backoffMaxMs, backoffMinMs } = this.#times;
    // Only a socket that lasted ends a run of bad luck.
    if (this.#state === "open" && performance.now() - this.#openedMs > backoffMaxMs) this.#attempts = 0;
    this.#move("waiting");
    // The whole of it is random: a node that restarts has all its clients at its door.
    const delayMs = this.#random() * Math.min(backoffMaxMs, backoffMinMs * 2 ** this.#attempts++);
    this.#retryTimer = setTimeout(() => this.#connect(), delayMs);
  }

  #move(state: ConnectionState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#events.onState(state);
  }
}
