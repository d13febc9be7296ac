import { basename } from "node:path";
import { placeOf } from "./paths.ts";

/** Nothing inline, nothing from elsewhere, no framing; the socket is the page's own host. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const TYPES: Readonly<Record<string, string>> = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  woff2: "font/woff2",
};

const SAFE = { "x-content-type-options": "nosniff", "referrer-policy": "same-origin" };
const FOR_EVER = "public, max-age=31536000, immutable";
const NOT_BUILT = "The web app is not built: run `make build`.\n";

export interface WebAssets {
  /** By name; where each is, on disk or within the binary. */
  readonly files: Readonly<Record<string, string>>;
  readonly page: string;
}

/** What `make web` left; null when it has not run. */
export const builtAssets = (): Promise<WebAssets | null> => import("../../build/web/assets.ts").catch(() => null);

interface Stored {
  readonly plain: Uint8Array<ArrayBuffer>;
  /** null where packing gains nothing. */
  readonly gzip: Uint8Array<ArrayBuffer> | null;
}

/** Answers the app's own addresses: its page and the files that the page names. */
export class WebApp {
  readonly #assets: WebAssets | null;
  readonly #stored = new Map<string, Stored>();
  readonly #page: Stored;
  readonly #etag: string;

  constructor(assets: WebAssets | null) {
    this.#assets = assets;
    const page = Buffer.from(assets?.page ?? NOT_BUILT);
    this.#page = { plain: page, gzip: Bun.gzipSync(page) };
    this.#etag = `"${Bun.hash(page).toString(36)}"`;
  }

  /** null: not an address of the app. */
  async answer(request: Request): Promise<Response | null> {
    if (request.method !== "GET" && request.method !== "HEAD") return null;
    const { pathname } = new URL(request.url);
    const asset = pathname.startsWith("/assets/") ? basename(pathname) : null;
    if (asset !== null) return this.#file(asset, request);
    return placeOf(pathname) === null ? null : this.#pageFor(request);
  }

  async #file(name: string, request: Request): Promise<Response | null> {
    const path = this.#assets?.files[name];
    if (path === undefined) return null;
    let stored = this.#stored.get(name);
    if (stored === undefined) {
      const plain = await Bun.file(path).bytes();
      stored = { plain, gzip: name.endsWith(".woff2") ? null : Bun.gzipSync(plain) };
      this.#stored.set(name, stored);
    }
    const type = TYPES[name.split(".").at(-1)!] ?? "application/octet-stream";
    return reply(request, stored, { "content-type": type, "cache-control": FOR_EVER });
  }

  #pageFor(request: Request): Response {
    const headers = { etag: this.#etag, "cache-control": "no-cache", "content-security-policy": POLICY };
    if (request.headers.get("if-none-match") === this.#etag) return new Response(null, { status: 304, headers });
    if (this.#assets === null) return new Response(NOT_BUILT, { status: 503 });
    return reply(request, this.#page, { "content-type": "text/html; charset=utf-8", ...headers });
  }
}

function reply(request: Request, { plain, gzip }: Stored, headers: Readonly<Record<string, string>>): Response {
  const packed = gzip !== null && /\bgzip\b/.test(request.headers.get("accept-encoding") ?? "");
  return new Response(packed ? gzip : plain, {
    headers: { ...SAFE, ...headers, vary: "accept-encoding", ...(packed ? { "content-encoding": "gzip" } : {}) },
  });
}
