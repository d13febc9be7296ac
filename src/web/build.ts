/**
 * Bundles the web app for browsers into build/web: files with their content's hash in their names, and assets.ts, whose
 * imports take them along into a compiled binary. `make web` runs it.
 */
import { mkdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { pageHtml } from "./page.ts";

const OUT = "build/web";
const source = (name: string) => fileURLToPath(new URL(name, import.meta.url));

export async function buildWeb(out = OUT): Promise<{ readonly files: number; readonly gzipBytes: number }> {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const { outputs } = await Bun.build({
    entrypoints: [source("main.tsx")],
    outdir: out,
    target: "browser",
    minify: true,
    splitting: true,
    publicPath: "/assets/",
    naming: { entry: "[name]-[hash].[ext]", chunk: "chunk-[hash].[ext]", asset: "[name]-[hash].[ext]" },
    // Bun would put fonts into the sheet as data: addresses, which the policy forbids and no cache keeps apart.
    external: ["font:*"],
    define: { "process.env.NODE_ENV": '"production"' },
  });
  const names: string[] = [];
  const put = async (name: string, content: Uint8Array | string): Promise<string> => {
    const hashed = name.replace(/(\.\w+)$/, `-${Bun.hash(content).toString(36)}$1`);
    await Bun.write(join(out, hashed), content);
    names.push(hashed);
    return hashed;
  };
  const entry = (pattern: RegExp) =>
    outputs.find(({ kind, path }) => kind !== "chunk" && pattern.test(basename(path)))!;
  const sheet = entry(/^main-.*\.css$/);
  let css = await sheet.text();
  for (const [address, font] of css.matchAll(/font:([\w.-]+\.woff2)/g)) {
    const path = Bun.resolveSync(`@fontsource/barlow-condensed/files/${font}`, import.meta.dir);
    css = css.replaceAll(address, `/assets/${await put(font!, await Bun.file(path).bytes())}`);
  }
  rmSync(sheet.path);
  for (const { path } of outputs) if (path !== sheet.path) names.push(basename(path));
  // A classic script: it holds up the first paint, and so must not wait for any other.
  const early = await Bun.build({ entrypoints: [source("theme.ts")], target: "browser", format: "iife", minify: true });
  const theme = await early.outputs[0]!.text();
  const page = pageHtml({
    script: basename(entry(/^main-.*\.js$/).path),
    theme: await put("theme.js", theme),
    style: await put("main.css", css),
    icon: await put("icon.svg", await Bun.file(source("icon.svg")).bytes()),
  });
  await Bun.write(
    join(out, "assets.ts"),
    [
      "// @ts-nocheck: bundles have no types, and here each is but a place.",
      ...names.map((name, index) => `import file${index} from "./${name}" with { type: "file" };`),
      `export const files: Record<string, string> = {`,
      ...names.map((name, index) => `  ${JSON.stringify(name)}: file${index} as unknown as string,`),
      `};`,
      `export const page = ${JSON.stringify(page)};`,
      "",
    ].join("\n"),
  );
  const first = names.filter((name) => page.includes(name));
  const sizes = await Promise.all(
    first.map(async (name) => Bun.gzipSync(await Bun.file(join(out, name)).bytes(), { level: 9 }).length),
  );
  return { files: names.length, gzipBytes: sizes.reduce((sum, size) => sum + size, 0) };
}

if (import.meta.main) {
  const { files, gzipBytes } = await buildWeb();
  console.log(`web: ${OUT}, ${files} files, first load ${(gzipBytes / 1_024).toFixed(1)} KB gzip`);
}
