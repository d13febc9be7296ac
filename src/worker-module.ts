/** Modules that run in threads of their own, by their paths below `src/`. A compiled binary has each as an entry point. */
export const WORKER_MODULES = [
  "stores/sqlite/worker.ts",
  "realtime/board/board-worker.ts",
  "realtime/index/index-worker.ts",
] as const;

/** In a compiled binary this file lies in the bundle of the entry point, at the top of what was `src/`, as it does here. */
export const workerModule = (path: (typeof WORKER_MODULES)[number]): URL => new URL(`./${path}`, import.meta.url);
