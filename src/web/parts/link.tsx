import type { ComponentChildren, JSX } from "preact";
import { goTo } from "../state/router.ts";

type LinkProps = JSX.IntrinsicElements["a"] & { readonly href: string; readonly children: ComponentChildren };

/** A link within the app: another screen of the same page, yet a link as any other to whoever opens it elsewhere. */
export function Link({ href, children, ...rest }: LinkProps) {
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    goTo(href);
  };
  return (
    <a href={href} onClick={follow} {...rest}>
      {children}
    </a>
  );
}
