/**
 * Whether a page of this origin may open a socket. Browsers always name the origin and can't lie about it; a request without
 * one is no browser's, and what it may do depends on its token alone. `allowed` are origins that an operator has named; the
 * node's own, by the Host header that the request came to, needs no naming.
 */
export function isOriginAllowed(origin: string | null, host: string | null, allowed: readonly string[]): boolean {
  if (origin === null) return true;
  if (allowed.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}
