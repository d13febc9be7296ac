import { dismiss, toasts } from "../state/toasts.ts";
import { Icon } from "./icon.tsx";

/** Said once, politely; the region is always there, for a region that comes with its text is often not read. */
export const Toasts = () => (
  <div class="toasts" role="status" aria-label="Messages">
    {toasts.value.map(({ id, text, tone }) => (
      <div key={id} class={`toast toast-${tone}`}>
        <Icon name={tone === "good" ? "check" : "close"} />
        <p>{text}</p>
        <button type="button" class="icon-button" aria-label="Dismiss" onClick={() => dismiss(id)}>
          <Icon name="close" size={16} />
        </button>
      </div>
    ))}
  </div>
);
