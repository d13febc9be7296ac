const POLL_MS = 20;
const PATIENCE_MS = 60_000;

/** Resolves when it is so; rejects with what was waited for, rather than let a test's own time run out without a word. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const giveUpAtMs = performance.now() + PATIENCE_MS; !(await holds());) {
    if (performance.now() > giveUpAtMs) throw new Error(`not so after ${PATIENCE_MS / 1_000} s: ${what}`);
    await Bun.sleep(POLL_MS);
  }
}
