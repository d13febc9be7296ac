import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

/** Where native code can be loaded from; null: it was not built. */
export interface NativeLibraries {
  /** The kernel and the roster index. */
  readonly kernel: string | null;
  /** librdkafka with our glue. */
  readonly kafka: string | null;
  /** Built from native/aerospike. */
  readonly aerospikeBridge: string | null;
  /** The addon of the `aerospike` package, for the C client inside it. */
  readonly aerospikeClient: string | null;
  /** What the client needs, in the order of loading: paths, or names that the system's loader knows. */
  readonly aerospikeNeeds: readonly string[];
}

interface BuiltLibraries extends Omit<NativeLibraries, "aerospikeNeeds"> {
  readonly aerospikeNeeds: readonly { readonly name: string; readonly path: string | null }[];
}

/** Where a compiled binary has the files that it carries; only the program itself can read there. */
const CARRIED_PREFIX = "/$bunfs/";

const NOTHING_BUILT: BuiltLibraries = {
  kernel: null,
  kafka: null,
  aerospikeBridge: null,
  aerospikeClient: null,
  aerospikeNeeds: [],
};

const built = builtLibraries();

/** Not by `import()`: a module that waits at its top can't be in the circles of a bundle. */
function builtLibraries(): BuiltLibraries {
  try {
    return (require("../build/libraries.ts") as { readonly libraries: BuiltLibraries }).libraries;
  } catch {
    return NOTHING_BUILT;
  }
}

const laidOut = new Map<string, string>();

/** What `make build` left. In a compiled binary a library is laid out as a file when it is first asked for. */
export const nativeLibraries: NativeLibraries = {
  get kernel() {
    return loadable(built.kernel);
  },
  get kafka() {
    return loadable(built.kafka);
  },
  get aerospikeBridge() {
    return loadable(built.aerospikeBridge);
  },
  get aerospikeClient() {
    return loadable(built.aerospikeClient);
  },
  get aerospikeNeeds() {
    return built.aerospikeNeeds.map(({ name, path }) => loadable(path) ?? name);
  },
};

function loadable(path: string | null): string | null {
  if (path === null || !path.startsWith(CARRIED_PREFIX)) return path;
  const known = laidOut.get(path);
  if (known !== undefined) return known;
  let file: string;
  try {
    file = layOut(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const remedy = "let TMPDIR name a folder where files may be written and run";
    throw new Error(`${basename(path)} can't be laid out in ${tmpdir()} (${reason}); ${remedy}`, { cause: error });
  }
  laidOut.set(path, file);
  return file;
}

/** Named by its content, so that processes share it and another version never gets in its way; it appears by a rename. */
function layOut(carried: string): string {
  const content = readFileSync(carried);
  const directory = join(privateDirectory(), new Bun.SHA256().update(content).digest("hex").slice(0, 32));
  const file = join(directory, basename(carried));
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (statSync(file, { throwIfNoEntry: false })?.size === content.length) return file;
  const unfinished = `${file}.${process.pid}.${crypto.randomUUID()}`;
  writeFileSync(unfinished, content, { mode: 0o500 });
  renameSync(unfinished, file);
  return file;
}

/** Nobody else may put a file there that this process would run. */
function privateDirectory(): string {
  const uid = process.getuid?.() ?? 0;
  const shared = join(tmpdir(), `powerplay-libraries-${uid}`);
  mkdirSync(shared, { recursive: true, mode: 0o700 });
  const { mode, uid: owner } = lstatSync(shared);
  if (owner === uid && (mode & 0o170777) === 0o040700) return shared;
  const own = mkdtempSync(join(tmpdir(), "powerplay-libraries-"));
  chmodSync(own, 0o700);
  return own;
}
