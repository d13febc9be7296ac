/** The real servers that tests run against: the shared ones by their variables, private ones started here. See ops/services. */
import { existsSync, readFileSync } from "node:fs";

export {
  ENGINES,
  missingService,
  type Service,
  type ServiceOptions,
  startService,
} from "../../ops/services/service.ts";
export type { ServiceName } from "../../ops/services/engine.ts";

const ENVIRONMENT_FILE = "build/services.env";

/** What `make services` wrote about the servers that were up. */
export function serviceVariables(file = ENVIRONMENT_FILE): Readonly<Record<string, string>> {
  if (!existsSync(file)) return {};
  const lines = readFileSync(file, "utf8").split("\n");
  return Object.fromEntries(lines.flatMap((line) => (line.includes("=") ? [line.split(/=(.*)/s).slice(0, 2)] : [])));
}
