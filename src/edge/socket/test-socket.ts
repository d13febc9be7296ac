import { ByteBuffer } from "flatbuffers";
import { writeCall, type WriteTable } from "../../client/requests.ts";
import { ClientIn } from "./generated/powerplay/wire/client-in.ts";
import type { Call, Message } from "./generated/wire_generated.ts";
import { SUBPROTOCOL } from "./subprotocol.ts";

/** For tests: a socket that says and hears single frames, the malformed ones too. */
export class TestSocket {
  readonly #socket: WebSocket;
  readonly #frames: ClientIn[] = [];
  #wake: (() => void) | null = null;
  #lastRequestId = 0;
  /** Resolves with the code that ended the socket. */
  readonly closed: Promise<number>;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }) => {
      const bytes = new Uint8Array(data as ArrayBuffer);
      this.#frames.push(ClientIn.getRootAsClientIn(new ByteBuffer(bytes)));
      this.#wake?.();
    });
    this.closed = new Promise((resolve) => socket.addEventListener("close", ({ code }) => resolve(code)));
  }

  static async open(url: string, headers: Record<string, string> = {}): Promise<TestSocket> {
    const socket = new WebSocket(url, { protocols: [SUBPROTOCOL], headers } as never);
    const opened = new TestSocket(socket);
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener("open", () => resolve());
      socket.addEventListener("close", ({ code }) => reject(new Error(`the socket was closed with ${code}`)));
    });
    return opened;
  }

  sendBytes(bytes: Uint8Array | string): void {
    this.#socket.send(bytes as string);
  }

  send(call: Call, write: WriteTable): number {
    this.sendBytes(writeCall(call, ++this.#lastRequestId, write));
    return this.#lastRequestId;
  }

  async ask(call: Call, write: WriteTable): Promise<ClientIn> {
    const requestId = this.send(call, write);
    return this.heard((frame) => frame.requestId() === requestId);
  }

  /** The first frame for which `holds`, of all that came and were not taken. */
  async heard(holds: (frame: ClientIn) => boolean): Promise<ClientIn> {
    for (;;) {
      const at = this.#frames.findIndex(holds);
      if (at >= 0) return this.#frames.splice(at, 1)[0]!;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  push(message: Message): Promise<ClientIn> {
    return this.heard((frame) => frame.requestId() === 0 && frame.messageType() === message);
  }

  /** How many pushes of a kind have come and were not taken. */
  waiting(message: Message): number {
    return this.#frames.filter((frame) => frame.messageType() === message).length;
  }

  close(): void {
    this.#socket.close();
  }
}
