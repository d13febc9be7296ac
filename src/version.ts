import { version } from "../package.json";

/** Put in by the compiler (compile.ts); a run from source has none. */
const commit = process.env.POWERPLAY_COMMIT;

export const VERSION = commit === undefined ? version : `${version} (${commit})`;
