/**
 * Why the node closes a socket. The range tells a client what to do without knowing the code: below 4500 it comes back (at
 * once or later, by its own backoff), from 4500 on it must not, for the same would happen again.
 */
export type CloseReason = "moved" | "idle" | "slow" | "malformed" | "notBinary" | "tooManyFrames" | "tooManySockets";

export const CLOSE: Readonly<Record<CloseReason, readonly [code: number, reason: string]>> = {
  moved: [4000, "The node stops; connect again"],
  idle: [4001, "Nothing was heard for too long"],
  slow: [4002, "Answers are not being read"],
  malformed: [4500, "The frame is malformed"],
  notBinary: [4501, "Frames are binary"],
  tooManyFrames: [4502, "Too many frames"],
  tooManySockets: [4503, "The user has too many sockets"],
};

export const mayReconnect = (code: number): boolean => code < 4500 && code !== 1009;
