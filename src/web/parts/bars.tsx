import { useEffect, useState } from "preact/hooks";
import { formatPaise } from "../../domain/money.ts";
import type { ScreenName } from "../paths.ts";
import { balance, client, isAdmin, session } from "../state/node.ts";
import { goTo, loginUrl, place } from "../state/router.ts";
import { keepTheme, shownTheme } from "../state/theme-choice.ts";
import { Icon, type IconName } from "./icon.tsx";
import { Link } from "./link.tsx";

interface Tab {
  readonly href: string;
  readonly label: string;
  readonly icon: IconName;
  readonly screens: readonly ScreenName[];
}

const TABS: readonly Tab[] = [
  { href: "/", label: "Matches", icon: "ball", screens: ["matches", "match", "team"] },
  { href: "/mine", label: "My contests", icon: "trophy", screens: ["mine", "contest"] },
  { href: "/wallet", label: "Wallet", icon: "wallet", screens: ["wallet"] },
];
const ADMIN_TAB: Tab = { href: "/admin", label: "Admin", icon: "gear", screens: ["admin", "adminMatch"] };

const shownTabs = () => (isAdmin.value ? [...TABS, ADMIN_TAB] : TABS);
const currentOf = (tab: Tab) =>
  place.value !== null && tab.screens.includes(place.value.screen) ? { "aria-current": "page" as const } : {};

export const Mark = () => (
  <svg class="mark" width="28" height="28" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
    <rect width="32" height="32" rx="8" class="mark-ground" />
    <path d="M18.600 4 8 18h6.200L12.400 28 24 13h-6.600z" class="mark-bolt" />
  </svg>
);

export function TopBar() {
  return (
    <header class="top">
      <div class="top-inner">
        <Link href="/" class="brand" aria-label="Powerplay, all matches">
          <Mark />
          <span class="brand-name">Powerplay</span>
        </Link>
        <nav class="top-nav" aria-label="Main">
          {shownTabs().map((tab) => (
            <Link key={tab.href} href={tab.href} {...currentOf(tab)}>
              {tab.label}
            </Link>
          ))}
        </nav>
        <div class="top-end">
          {balance.value !== null && (
            <Link href="/wallet" class="purse" aria-label={`Wallet, ${formatPaise(balance.value)}`}>
              <Icon name="wallet" size={18} />
              <span data-testid="balance">{formatPaise(balance.value)}</span>
            </Link>
          )}
          <ThemeSwitch />
          <Who />
        </div>
      </div>
    </header>
  );
}

/** On narrow screens, where a thumb reaches it. */
export function BottomBar() {
  return (
    <nav class="bottom" aria-label="Main, for thumbs">
      {shownTabs().map((tab) => (
        <Link key={tab.href} href={tab.href} {...currentOf(tab)}>
          <Icon name={tab.icon} size={22} />
          <span>{tab.label}</span>
        </Link>
      ))}
    </nav>
  );
}

function ThemeSwitch() {
  const [theme, setTheme] = useState(shownTheme);
  useEffect(() => {
    const system = matchMedia("(prefers-color-scheme: dark)");
    const follow = () => setTheme(shownTheme());
    system.addEventListener("change", follow);
    return () => system.removeEventListener("change", follow);
  }, []);
  const other = theme === "dark" ? "light" : "dark";
  const turn = () => {
    keepTheme(other);
    setTheme(other);
  };
  return (
    <button type="button" class="icon-button" aria-label={`Switch to the ${other} theme`} onClick={turn}>
      <Icon name={theme === "dark" ? "sun" : "moon"} />
    </button>
  );
}

function Who() {
  const who = session.value;
  if (who === null) {
    return (
      <Link href={loginUrl()} class="button button-small">
        Log in
      </Link>
    );
  }
  const leave = () => {
    client.logOut();
    goTo("/");
  };
  return (
    <div class="who">
      <span class="who-name" data-testid="who">
        {who.userName}
      </span>
      <button type="button" class="icon-button" aria-label={`Log out ${who.userName}`} onClick={leave}>
        <Icon name="exit" />
      </button>
    </div>
  );
}
