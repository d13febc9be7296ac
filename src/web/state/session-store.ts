import type { SessionTokens } from "../../client/index.ts";

const KEY = "powerplay.session";

export function keptSession(): SessionTokens | null {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "null") as Partial<SessionTokens> | null;
    return typeof kept?.accessToken === "string" && typeof kept.refreshToken === "string"
      ? (kept as SessionTokens)
      : null;
  } catch {
    return null;
  }
}

export function keepSession(session: SessionTokens | null): void {
  try {
    if (session === null) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, JSON.stringify(session));
  } catch {
    // The session then lasts as long as the page.
  }
}
