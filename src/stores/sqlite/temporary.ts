import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OpenStore } from "../contract.ts";

/** For the contract suites: embedded stores in a directory of their own, removed at the end. */
export function inTemporaryDirectory<Store extends { close(): Promise<void> }>(
  open: (file: string) => Promise<Store>,
): OpenStore<Store> {
  return async () => {
    const directory = await mkdtemp(join(tmpdir(), "powerplay-"));
    const file = join(directory, "store.sqlite");
    let store = await open(file);
    return {
      store,
      async reopen() {
        await store.close();
        return (store = await open(file));
      },
      async dispose() {
        await store.close();
        await rm(directory, { recursive: true });
      },
    };
  };
}
