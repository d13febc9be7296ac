import { type Paise, rupees } from "../../domain/money.ts";
import { client, refreshBalance } from "./node.ts";

/** What a guest starts with: several contests of any size. */
export const WELCOME_PAISE: Paise = rupees(500);

const POLL_MS = 150;
const POLLS_MAX = 100;

/** Deposits, plays the bank, and waits for the provider's word. Answers why not, or null when the money is there. */
export async function addSandboxMoney(amount: Paise): Promise<string | null> {
  let opened = await client.deposit(amount);
  if (!opened.ok && opened.refusal.retry === "later") {
    // The node takes one deposit a second from each user.
    await pause(opened.refusal.retryAfterMs);
    opened = await client.deposit(amount);
  }
  if (!opened.ok) return opened.refusal.message;
  const { orderId } = opened.value;
  let deposit = await client.payInSandbox(orderId);
  for (let polls = 0; deposit.ok && deposit.value.state === "created" && polls < POLLS_MAX; polls++) {
    await pause(POLL_MS);
    deposit = await client.depositOf(orderId);
  }
  await refreshBalance();
  if (!deposit.ok) return deposit.refusal.message;
  return deposit.value.state === "credited" ? null : "The payment has not arrived; look again in a moment.";
}

const pause = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms));
