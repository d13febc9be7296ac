import { dlopen, ptr } from "bun:ffi";
import { existsSync } from "node:fs";
import { nativeLibraries } from "../../../native-libraries.ts";

/** Where the native code is; null: it was not built. */
export interface LedgerLibraries {
  /** Built from native/aerospike. */
  readonly bridge: string | null;
  /** The addon of the `aerospike` package, for the C client inside it. */
  readonly client: string | null;
  /**
   * What the addon needs, in this order: OpenSSL 3, whose symbols it leaves open, and, for a machine that may lack them,
   * libz.so.1 and libyaml-0.so.2. Names are looked for where the system keeps its libraries.
   */
  readonly needs: readonly string[];
}

export const installedLibraries = (): LedgerLibraries => ({
  bridge: nativeLibraries.aerospikeBridge,
  client: nativeLibraries.aerospikeClient,
  needs: nativeLibraries.aerospikeNeeds,
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
  const known = bridge === null ? undefined : opened.get(bridge);
  if (known) return known;
  if (process.platform !== "linux") throw new Error("Ledger on Aerospike: its C client is loaded on Linux only");
  require(bridge, "its bridge", "make build (it needs a C compiler)");
  require(client, "its C client", "make build (the package aerospike brings it)");
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

function require(path: string | null, what: string, remedy: string): asserts path is string {
  if (path !== null && existsSync(path)) return;
  throw new Error(`Ledger on Aerospike: ${path ?? what} is not there; run ${remedy}`);
}
