/** The client as browsers load it: one minified module. `make client` writes it to build/client.js and prints its size. */
import { fileURLToPath } from "node:url";

export interface ClientBundle {
  readonly code: string;
  readonly bytes: number;
  readonly gzipBytes: number;
}

export async function bundleClient(): Promise<ClientBundle> {
  const entrypoints = [fileURLToPath(new URL("index.ts", import.meta.url))];
  const { outputs } = await Bun.build({ entrypoints, target: "browser", minify: true });
  const code = await outputs[0]!.text();
  return { code, bytes: Buffer.byteLength(code), gzipBytes: Bun.gzipSync(Buffer.from(code), { level: 9 }).length };
}

if (import.meta.main) {
  const { code, bytes, gzipBytes } = await bundleClient();
  await Bun.write("build/client.js", code);
  console.log(`client: build/client.js, ${(bytes / 1_024).toFixed(1)} KB, ${(gzipBytes / 1_024).toFixed(1)} KB gzip`);
}
