/** Calls back after so many ms; answers how to call that off. */
export function afterMs(ms: number, then: () => void): () => void {
  const timer = setTimeout(then, ms);
  return () => clearTimeout(timer);
}

/** Does `work` again and again with a pause between, until stopped; what it throws is told and tried again. */
export function repeat(work: () => Promise<unknown>, everyMs: number, onTrouble: (error: unknown) => void) {
  const stopping = Promise.withResolvers<void>();
  const state = { stopped: false };
  const done = (async () => {
    while (!state.stopped) {
      try {
        await work();
      } catch (error) {
        onTrouble(error);
      }
      let timer: Timer | undefined;
      await Promise.race([new Promise<void>((resolve) => (timer = setTimeout(resolve, everyMs))), stopping.promise]);
      clearTimeout(timer);
    }
  })();
  return {
    async stop(): Promise<void> {
      state.stopped = true;
      stopping.resolve();
      await done;
    },
  };
}
