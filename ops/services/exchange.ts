const ANSWER_MS_MAX = 2_000;

/**
 * Sends a few bytes and gives what comes back to `isComplete` until that has seen enough. false: nobody listens, nobody answers in
 * time, or the other side hung up before.
 */
export async function exchange(
  port: number,
  request: Uint8Array | string,
  isComplete: (answer: Buffer) => boolean,
): Promise<boolean> {
  const answered = Promise.withResolvers<boolean>();
  let answer = Buffer.alloc(0);
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      open: (socket) => void socket.write(request),
      data(_, bytes) {
        answer = Buffer.concat([answer, bytes]);
        if (isComplete(answer)) answered.resolve(true);
      },
      close: () => answered.resolve(false),
      error: () => answered.resolve(false),
    },
  }).catch(() => null);
  if (socket === null) return false;
  const timer = setTimeout(() => answered.resolve(false), ANSWER_MS_MAX);
  try {
    return await answered.promise;
  } finally {
    clearTimeout(timer);
    socket.terminate();
  }
}
