import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** null if Java programs can be run here, else the reason and the remedy. */
export function javaMissing(): string | null {
  if (Bun.which("java") === null) return "no java on PATH: apt-get install openjdk-17-jre-headless";
  if (Bun.which("mvn") === null) return "no mvn on PATH to fetch its jars: apt-get install maven";
  return null;
}

let maven: Promise<unknown> = Promise.resolve();
const known = new Map<string, string>();

/**
 * The class path of what `pom-<name>.xml` depends on, fetched by Maven into its own cache with this machine's settings. The answer
 * is kept beside the services until the file changes or a jar is gone, and in this process, because Maven needs seconds to give it again.
 */
export async function classPath(name: string, directory: string): Promise<string> {
  const pom = join(import.meta.dir, `pom-${name}.xml`);
  const hash = createHash("sha256")
    .update(await readFile(pom))
    .digest("hex")
    .slice(0, 12);
  const kept = join(directory, `classpath-${hash}`);
  if (existsSync(kept)) {
    const path = await readFile(kept, "utf8");
    if (path.split(":").every((jar) => existsSync(jar))) return path;
  }
  await mkdir(directory, { recursive: true });
  // One at a time: two would fetch what they share twice.
  const resolved = maven.then(async () => {
    const path = known.get(pom) ?? (await resolve(pom, `${kept}.part`));
    known.set(pom, path);
    return path;
  });
  maven = resolved.catch(() => undefined);
  const path = await resolved;
  await writeFile(`${kept}.part`, path);
  await rename(`${kept}.part`, kept);
  return path;
}

async function resolve(pom: string, outputFile: string): Promise<string> {
  const mvn = Bun.spawn(
    ["mvn", "-q", "-B", "-f", pom, "dependency:build-classpath", `-Dmdep.outputFile=${outputFile}`],
    { stdout: "pipe", stderr: "pipe", stdin: "ignore" },
  );
  const [output, errors] = await Promise.all([
    new Response(mvn.stdout).text(),
    new Response(mvn.stderr).text(),
    mvn.exited,
  ]);
  if (mvn.exitCode === 0) return readFile(outputFile, "utf8");
  const reason = (output + errors).split("\n").filter((line) => line.includes("ERROR"));
  throw new Error(
    `Maven could not fetch the jars of ${pom}; it needs Maven Central or a mirror in its settings\n${reason.slice(0, 5).join("\n")}`,
  );
}

/** Java's properties files: what a value may hold here needs no escapes. */
export async function writeProperties(file: string, properties: Readonly<Record<string, string>>): Promise<void> {
  await writeFile(
    file,
    Object.entries(properties)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(""),
  );
}
