/**
 * Where the module of a worker is, by its path below `src/`. In a compiled binary this file lies in the bundle of the entry
 * point, at the top of what was `src/`, and each of the modules has to be an entry point too (`make binary`).
 */
export const workerModule = (path: string): URL => new URL(`./${path}`, import.meta.url);
