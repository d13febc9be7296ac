import { dlopen, ptr } from "bun:ffi";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** Where the native code is. A program that carries it inside gives the paths of the files that it has laid out. */
export interface LedgerLibraries {
  /** Built from native/aerospike. */
  readonly bridge: string;
  /** The addon of the `aerospike` package, for the C client inside it. */
  readonly client: string;
  /**
   * What the addon needs, in this order: OpenSSL 3, whose symbols it leaves open, and, for a machine that may lack them,
   * libz.so.1 and libyaml-0.so.2. Names are looked for where the system keeps its libraries.
   */
  readonly needs: readonly string[];
}

const ROOT = join(import.meta.dir, "../../../..");

export const installedLibraries = (): LedgerLibraries => ({
  bridge: join(ROOT, "build/libpowerplay-aerospike.so"),
  // The C code is the same in the addons for every version of Node.js; this one is the newest.
  client: join(ROOT, `node_modules/aerospike/lib/binding/node-v141-linux-${process.arch}/aerospike.node`),
  needs: ["libcrypto.so.3", "libssl.so.3"],
});

const SYMBOLS = {
  pp_aero_need: { args: ["ptr", "ptr", "u32"], returns: "i32" },
  pp_aero_load: { args: ["ptr", "ptr", "u32"], returns: "i32" },
  pp_aero_open: { args: ["u32", "ptr"], returns: "ptr" },
  pp_aero_submit: { args: ["ptr", "ptr", "u32"], returns: "i32" },
  pp_aero_next: { args: ["ptr"], returns: "u32" },
  pp_aero_take: { args: ["ptr", "ptr"], returns: "void" },
  pp_aero_close: { args: ["ptr"], returns: "void" },
} as const;

export type Bridge = ReturnType<typeof dlopen<typeof SYMBOLS>>["symbols"];

const REASON_BYTES = 1024;
const opened = new Map<string, Bridge>();

/** Throws an error that says what is missing and how to get it. */
export function openBridge({ bridge, client, needs }: LedgerLibraries): Bridge {
  const known = opened.get(bridge);
  if (known) return known;
  if (process.platform !== "linux") throw new Error("Ledger on Aerospike: its C client is loaded on Linux only");
  require(bridge, "make build (it needs a C compiler)");
  require(client, "make install (it brings the package aerospike)");
  const { symbols } = dlopen(bridge, SYMBOLS);
  const reason = new Uint8Array(REASON_BYTES);
  const path = (text: string): Uint8Array => new TextEncoder().encode(`${text}\0`);
  const isLoaded =
    needs.every((need) => symbols.pp_aero_need(ptr(path(need)), ptr(reason), REASON_BYTES) === 0) &&
    symbols.pp_aero_load(ptr(path(client)), ptr(reason), REASON_BYTES) === 0;
  if (!isLoaded) {
    const said = new TextDecoder().decode(reason.subarray(0, reason.indexOf(0)));
    throw new Error(
      `Ledger on Aerospike: the C client does not load (${said}); it needs OpenSSL 3, libyaml and zlib: ` +
        "apt-get install libssl3 libyaml-0-2 zlib1g",
    );
  }
  opened.set(bridge, symbols);
  return symbols;
}

function require(path: string, remedy: string): void {
  if (!existsSync(path)) throw new Error(`Ledger on Aerospike: ${path} is not there; run ${remedy}`);
}
