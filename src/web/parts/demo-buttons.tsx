import { useState } from "preact/hooks";
import { client, refreshBalance } from "../state/node.ts";
import { toast } from "../state/toasts.ts";
import { addSandboxMoney, WELCOME_PAISE } from "../state/sandbox-money.ts";
import { Icon } from "./icon.tsx";

/** One click from nobody to a user with money to play with. */
export function DemoButtons() {
  const [busy, setBusy] = useState(false);
  const enter = async (role: "user" | "admin") => {
    setBusy(true);
    const answer = await client.openGuest(role);
    setBusy(false);
    if (!answer.ok) {
      toast(answer.refusal.message, "bad");
      return;
    }
    if (role === "user" && (await addSandboxMoney(WELCOME_PAISE)) === null) void refreshBalance();
  };
  return (
    <div class="demo-buttons">
      <button type="button" class="button button-hero" disabled={busy} onClick={() => enter("user")}>
        <Icon name="bolt" />
        {busy ? "One moment…" : "Play as demo user"}
      </button>
      <button type="button" class="link-button" disabled={busy} onClick={() => enter("admin")}>
        or look behind the scenes as demo admin
      </button>
    </div>
  );
}
