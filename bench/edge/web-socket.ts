import { connect, type Socket } from "bun";
import { SUBPROTOCOL } from "../../src/edge/socket/subprotocol.ts";

/**
 * A WebSocket client that costs little beside the server it measures: bytes over `Bun.connect`, one buffer a socket only
 * while a frame is incomplete. It knows what a node sends: unfragmented binary frames, pings, closes.
 */
export interface SwarmSocket {
  readonly index: number;
  send(frame: Uint8Array): void;
  close(): void;
}

export interface SwarmEvents {
  onOpen(socket: SwarmSocket): void;
  /** `frame` is valid during the call. */
  onFrame(socket: SwarmSocket, frame: Uint8Array): void;
  onClose(socket: SwarmSocket, code: number): void;
}

interface State extends SwarmSocket {
  readonly handshake: Uint8Array;
  readonly events: SwarmEvents;
  upgraded: boolean;
  rest: Uint8Array | null;
  closeCode: number;
  tcp: Socket<State>;
}

const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/** Client frames are masked; a mask of zeros is a mask, and leaves the bytes as they are. */
export function clientFrame(payload: Uint8Array, opcode = BINARY): Uint8Array {
  const { length } = payload;
  const head = length < 126 ? 6 : 8;
  const frame = new Uint8Array(head + length);
  frame[0] = 0x80 | opcode;
  if (length < 126) frame[1] = 0x80 | length;
  else {
    frame[1] = 0x80 | 126;
    frame[2] = length >> 8;
    frame[3] = length;
  }
  frame.set(payload, head);
  return frame;
}

const handler = {
  binaryType: "uint8array" as const,
  open(tcp: Socket<State>) {
    tcp.data.tcp = tcp;
    tcp.write(tcp.data.handshake);
  },
  data(tcp: Socket<State>, chunk: Uint8Array) {
    const state = tcp.data;
    let bytes = chunk;
    if (state.rest !== null) {
      bytes = new Uint8Array(state.rest.length + chunk.length);
      bytes.set(state.rest);
      bytes.set(chunk, state.rest.length);
      state.rest = null;
    }
    let at = 0;
    if (!state.upgraded) {
      const end = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf("\r\n\r\n");
      if (end < 0) {
        state.rest = bytes.slice();
        return;
      }
      // "HTTP/1.1 101"
      if (bytes[9] !== 0x31) {
        tcp.end();
        return;
      }
      state.upgraded = true;
      at = end + 4;
      state.events.onOpen(state);
    }
    for (;;) {
      const left = bytes.length - at;
      if (left < 2) break;
      const opcode = bytes[at]! & 15;
      let length = bytes[at + 1]! & 127;
      let head = 2;
      if (length === 126) {
        if (left < 4) break;
        length = (bytes[at + 2]! << 8) | bytes[at + 3]!;
        head = 4;
      } else if (length === 127) {
        if (left < 10) break;
        length = new DataView(bytes.buffer, bytes.byteOffset + at + 6, 4).getUint32(0);
        head = 10;
      }
      if (left < head + length) break;
      const payload = bytes.subarray(at + head, at + head + length);
      if (opcode === BINARY) state.events.onFrame(state, payload);
      else if (opcode === PING) tcp.write(clientFrame(payload, PONG));
      else if (opcode === CLOSE) {
        state.closeCode = length >= 2 ? (payload[0]! << 8) | payload[1]! : 1005;
        tcp.end();
      }
      at += head + length;
    }
    if (at < bytes.length) state.rest = bytes.slice(at);
  },
  close(tcp: Socket<State>) {
    tcp.data.events.onClose(tcp.data, tcp.data.closeCode);
  },
};

export async function openSwarmSocket(
  target: { readonly hostname: string; readonly port: number },
  index: number,
  events: SwarmEvents,
): Promise<SwarmSocket> {
  const handshake = Buffer.from(
    `GET /v1/socket HTTP/1.1\r\nHost: ${target.hostname}:${target.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ${SUBPROTOCOL}\r\n\r\n`,
  );
  const state: State = {
    index,
    handshake,
    events,
    upgraded: false,
    rest: null,
    closeCode: 1006,
    tcp: undefined as never,
    send: (frame) => void state.tcp.write(clientFrame(frame)),
    close: () => state.tcp.end(),
  };
  await connect<State>({ ...target, data: state, socket: handler });
  return state;
}
