import type { Send } from "../demo/api-client.ts";

const RETRY_MS = 25;

const wasRefused = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ConnectionRefused";

/** Tries again where nobody took the connection, and nothing else: whatever else happens is the caller's to see. */
export const insistentFetch: Send = async (url, request) => {
  for (;;) {
    try {
      return await fetch(url, request);
    } catch (error) {
      if (!wasRefused(error)) throw error;
      await Bun.sleep(RETRY_MS);
    }
  }
};

/** What may be asked twice: reads, joins by their key, team saves and balls, which are known by their number. */
const isRepeatable = (url: string, { headers, method }: RequestInit): boolean =>
  method === "GET" || new Headers(headers).has("idempotency-key") || /\/v1\/(teams|scores\/\d+\/event)$/.test(url);

/**
 * As an app behind a balancer: a refused connection is tried again, one that broke as well where asking twice is asking
 * once, and so is what a node could not do now (503). Reads that are 503 are the caller's to repeat.
 */
export function patientFetch(patienceMs: number, onRepeat: (why: string) => void = () => undefined): Send {
  return async (url, request) => {
    for (const giveUpAtMs = performance.now() + patienceMs; ;) {
      let why: string;
      try {
        const response = await fetch(url, request);
        if (response.status !== 503 || request.method === "GET" || performance.now() > giveUpAtMs) return response;
        why = await response.text();
      } catch (error) {
        if (performance.now() > giveUpAtMs || !(wasRefused(error) || isRepeatable(url, request))) throw error;
        why = String(error);
      }
      onRepeat(why);
      await Bun.sleep(RETRY_MS);
    }
  };
}
