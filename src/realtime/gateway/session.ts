import type { ServerWebSocket } from "bun";
import type { UserId } from "../../domain/ids.ts";
import type { ContestRoom, OwnEntry } from "./contest-room.ts";
import type { Presence } from "./match-hall.ts";

/** A slot is a byte. */
const SLOTS_MAX = 255;

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
  /**
   * Sweeps since a complete frame or a pong; bytes that never become a frame do not count. Sweeps and not time, for a node
   * that could not listen for a while must not blame its clients.
   */
  silentSweeps = 0;
  /** Answers of this turn of the event loop; they leave in one write. */
  answers: Uint8Array[] | null = null;

  #callsUnderWay = 0;
  #whenAnswered: PromiseWithResolvers<void> | null = null;
  #frameTokens: number;
  #frameTokensAtMs: number;

  readonly presences: Presence[] = [];
  /** By slot, as own-rank pushes name them. */
  readonly own: (OwnEntry | null)[] = [];
  #isPaused = false;

  constructor(
    readonly address: string,
    nowMs: number,
    framesPerSecondMax: number,
  ) {
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

  get followCount(): number {
    return this.presences.reduce((sum, { followsMatch, rooms }) => sum + rooms.length + (followsMatch ? 1 : 0), 0);
  }

  ownEntries(room: ContestRoom, entries: readonly OwnEntry[]): void {
    this.forgetEntries(room);
    for (const entry of entries) {
      const free = this.own.indexOf(null);
      if (free >= 0) this.own[free] = entry;
      else if (this.own.length < SLOTS_MAX) this.own.push(entry);
    }
  }

  forgetEntries(room: ContestRoom): void {
    for (const [slot, entry] of this.own.entries()) if (entry?.room === room) this.own[slot] = null;
  }

  /** Whether pushes are held back because the client does not read. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  pause(): void {
    this.#isPaused = true;
    for (const { hall } of this.presences) hall.pause(this);
  }

  /** The connection's buffer is empty again. */
  drained(): void {
    if (!this.#isPaused || (this.connection?.getBufferedAmount() ?? 1) > 0) return;
    this.#isPaused = false;
    for (const { hall } of this.presences) hall.unpause(this);
  }

  identify(user: UserId | null): void {
    this.userId = user;
    for (const { hall } of this.presences) hall.identify(this);
  }

  gone(): void {
    this.connection = null;
    this.userId = null;
    for (const { hall } of this.presences.slice()) hall.leave(this);
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
