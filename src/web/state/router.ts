import { computed, signal } from "@preact/signals";
import { type Place, placeOf } from "../paths.ts";

const here = () => ({ path: location.pathname, query: new URLSearchParams(location.search) });

const address = signal(here());

/** null: no screen of ours has this address. */
export const place = computed<Place | null>(() => placeOf(address.value.path));
export const query = computed(() => address.value.query);
export const pathname = computed(() => address.value.path);

/** Counts navigations of this page, so that the first screen is not treated as one. */
export const navigations = signal(0);

function moved(): void {
  address.value = here();
  navigations.value++;
}

export function goTo(url: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, "", url);
  else history.pushState(null, "", url);
  moved();
  if (!replace) scrollTo(0, 0);
}

export function startRouter(): void {
  addEventListener("popstate", moved);
}

/** Where to go after logging in: back to what asked for it. */
export const loginUrl = (): string => `/login?then=${encodeURIComponent(address.peek().path + location.search)}`;

/** Only an address of ours: `then` comes from the address bar. */
export function afterLogin(): string {
  const then = query.peek().get("then") ?? "/";
  return then.startsWith("/") && placeOf(new URL(then, location.origin).pathname) !== null ? then : "/";
}
