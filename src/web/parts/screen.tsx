import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Refusal } from "../../client/index.ts";
import { navigations } from "../state/router.ts";
import { Link } from "./link.tsx";

interface TitleProps {
  readonly title: string;
  /** For screens whose heading is drawn otherwise. */
  readonly hidden?: boolean;
  readonly children?: ComponentChildren;
}

/** The heading of a screen: names the page, and is where a keyboard or a screen reader arrives after navigating. */
export function Title({ title, hidden = false, children }: TitleProps) {
  const ref = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Powerplay`;
  }, [title]);
  useEffect(() => {
    if (navigations.peek() > 0) ref.current?.focus({ preventScroll: true });
  }, []);
  return (
    <h1 ref={ref} tabIndex={-1} class={hidden ? "sr-only" : "title"}>
      {children ?? title}
    </h1>
  );
}

export const Loading = ({ what }: { readonly what: string }) => (
  <div class="loading" role="status">
    <span class="loading-ball" aria-hidden="true" />
    {`Loading ${what}…`}
  </div>
);

export const Refused = ({ refusal, onRetry }: { readonly refusal: Refusal; readonly onRetry?: () => void }) => (
  <div class="notice notice-bad" role="alert">
    <p>{refusal.message}</p>
    {onRetry && (
      <button type="button" class="button button-quiet" onClick={onRetry}>
        Try again
      </button>
    )}
  </div>
);

export const Nothing = ({ title, children }: { readonly title: string; readonly children?: ComponentChildren }) => (
  <div class="empty">
    <p class="empty-title">{title}</p>
    {children}
  </div>
);

export const NotFound = () => (
  <div class="narrow">
    <Title title="Nothing here" />
    <Nothing title="This address leads nowhere.">
      <Link class="button" href="/">
        All matches
      </Link>
    </Nothing>
  </div>
);
