import { computed, signal } from "@preact/signals";
import { type ConnectionState, PowerplayClient, type SessionTokens } from "../../client/index.ts";
import type { Paise } from "../../domain/money.ts";
import { keepSession, keptSession } from "./session-store.ts";

const SOCKET_PATH = "/v1/socket";

/** The one connection of this page. Everything that is shown came through it. */
export const client = new PowerplayClient({
  url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${SOCKET_PATH}`,
  session: keptSession(),
});

export const connection = signal<ConnectionState>("closed");
export const session = signal<SessionTokens | null>(client.session);
/** Guests and play money are to be had; known once the node has greeted. */
export const sandbox = signal(false);
export const isAdmin = computed(() => session.value?.role === "admin");
/** null: not known, or nobody is logged in. */
export const balance = signal<Paise | null>(null);

export async function refreshBalance(): Promise<void> {
  const asker = client.session?.userId;
  if (asker === undefined) return;
  const answer = await client.balance();
  if (answer.ok && session.value?.userId === asker) balance.value = answer.value;
}

/** Prizes follow a settled match within moments, or when an administrator releases them. */
const PRIZE_CHECKS_MS = [0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000];

export function expectPrizes(): void {
  for (const afterMs of PRIZE_CHECKS_MS) setTimeout(() => void refreshBalance(), afterMs);
}

export function start(): void {
  client.onState((state) => {
    connection.value = state;
    if (state === "open") void refreshBalance();
  });
  client.onWelcome(() => (sandbox.value = client.isSandbox));
  client.onSession((now) => {
    const another = now?.userId !== session.value?.userId;
    session.value = now;
    keepSession(now);
    if (another) balance.value = null;
    void refreshBalance();
  });
  client.connect();
}
