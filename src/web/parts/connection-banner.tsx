import { useEffect, useState } from "preact/hooks";
import { client, connection } from "../state/node.ts";

/** A blink is nobody's business. */
const SHOWN_AFTER_MS = 700;

export function ConnectionBanner() {
  const state = connection.value;
  const [shown, setShown] = useState(false);
  const away = state !== "open";
  useEffect(() => {
    if (!away) {
      setShown(false);
      return undefined;
    }
    const timer = setTimeout(() => setShown(true), SHOWN_AFTER_MS);
    return () => clearTimeout(timer);
  }, [away]);
  return (
    <div class="connection" role="status" data-testid="connection" data-state={state}>
      {shown && away && (
        <p class="connection-line">
          <span class="connection-dot" aria-hidden="true" />
          {state === "closed" ? "The connection has ended." : "Reconnecting… what you see may be a moment old."}
          {state === "closed" && (
            <button type="button" class="link-button" onClick={() => client.connect()}>
              Connect again
            </button>
          )}
        </p>
      )}
    </div>
  );
}
