import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const LIBRARY = join(import.meta.dir, "../../build/libsynccount.so");

/** Counts the fsyncs of the processes that are started with its variables; sync_count.c says of what. */
export class SyncCounter {
  readonly #file: string;

  constructor(directory: string, name: string) {
    this.#file = join(directory, `${name}.syncs`);
    writeFileSync(this.#file, new Uint8Array(4));
    // Postgres runs as a user of its own.
    chmodSync(this.#file, 0o666);
  }

  /** None without a C compiler; the count then stays 0. */
  get variables(): Readonly<Record<string, string>> {
    return existsSync(LIBRARY) ? { LD_PRELOAD: LIBRARY, SYNC_COUNT_FILE: this.#file } : {};
  }

  get count(): number {
    return readFileSync(this.#file).readUInt32LE();
  }

  /** For what hands its own environment on to what it starts. */
  async around<T>(start: () => Promise<T>): Promise<T> {
    Object.assign(process.env, this.variables);
    try {
      return await start();
    } finally {
      for (const name of Object.keys(this.variables)) delete process.env[name];
    }
  }
}
