import type { Session } from "../../realtime/gateway/session.ts";

/**
 * Answers to one socket that become ready in the same turn of the event loop leave in one write: a group commit answers many
 * saves at once, and a write costs more than all else that is done for one of them.
 */
export class AnswerQueue {
  #waiting: Session[] = [];

  /** `compressBytesMin`: from this size on compressing costs less than sending. */
  constructor(
    private readonly compressBytesMin: number,
    private readonly onOverflow: (session: Session) => void,
  ) {}

  /** `frame` may be written over once this returns. */
  push(session: Session, frame: Uint8Array): void {
    if (session.answers === null) {
      session.answers = [];
      if (this.#waiting.push(session) === 1) setImmediate(() => this.flush());
    }
    session.answers.push(frame.slice());
  }

  flush(): void {
    const sessions = this.#waiting;
    this.#waiting = [];
    for (const session of sessions) {
      const { answers, connection } = session;
      session.answers = null;
      if (answers === null || connection === null) continue;
      connection.cork(() => {
        for (const frame of answers) {
          // 0: dropped, because the client has not read for so long that its buffer is full.
          if (connection.sendBinary(frame, frame.length >= this.compressBytesMin) !== 0) continue;
          this.onOverflow(session);
          return;
        }
      });
    }
  }
}
