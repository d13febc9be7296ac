import type { ServerWebSocket } from "bun";
import type { UserId } from "../../domain/ids.ts";

/** What a session needs of its connection; Bun's socket is one. */
export type Connection = Pick<
  ServerWebSocket<unknown>,
  "close" | "cork" | "getBufferedAmount" | "ping" | "sendBinary" | "subscribe" | "unsubscribe"
>;

/**
 * One socket. There are a hundred thousand of them on a node, so it holds what nobody else can know and little else: who is
 * there, what is under way, what was sent last.
 */
export class Session {
  connection: Connection | null = null;
  token: string | null = null;
  userId: UserId | null = null;
  /** Monotonic. A complete frame or a pong; bytes that never become a frame do not count. */
  heardAtMs: number;
  pinged = false;
  /** Answers of this turn of the event loop; they leave in one write. */
  answers: Uint8Array[] | null = null;

  #callsUnderWay = 0;
  #whenAnswered: PromiseWithResolvers<void> | null = null;
  #frameTokens: number;
  #frameTokensAtMs: number;

  constructor(
    readonly address: string,
    nowMs: number,
    framesPerSecondMax: number,
  ) {
    this.heardAtMs = nowMs;
    this.#frameTokensAtMs = nowMs;
    this.#frameTokens = framesPerSecondMax;
  }

  /** A token bucket of one second's frames. */
  takeFrame(nowMs: number, framesPerSecondMax: number): boolean {
    const refilled = this.#frameTokens + ((nowMs - this.#frameTokensAtMs) / 1_000) * framesPerSecondMax;
    this.#frameTokensAtMs = nowMs;
    this.#frameTokens = Math.min(framesPerSecondMax, refilled) - 1;
    return this.#frameTokens >= 0;
  }

  get callsUnderWay(): number {
    return this.#callsUnderWay;
  }

  callBegins(): void {
    this.#callsUnderWay++;
  }

  callEnds(): void {
    this.#callsUnderWay--;
    if (this.#callsUnderWay === 0) this.#whenAnswered?.resolve();
  }

  /** Resolves when no call is under way, or after `patienceMs`. */
  async answered(patienceMs: number): Promise<void> {
    if (this.#callsUnderWay === 0) return;
    this.#whenAnswered = Promise.withResolvers();
    const timer = setTimeout(this.#whenAnswered.resolve, patienceMs);
    await this.#whenAnswered.promise;
    clearTimeout(timer);
  }
}
