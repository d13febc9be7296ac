import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { BottomBar, TopBar } from "./parts/bars.tsx";
import { ConnectionBanner } from "./parts/connection-banner.tsx";
import { NotFound, Loading } from "./parts/screen.tsx";
import { Toasts } from "./parts/toasts.tsx";
import type { Params, ScreenName } from "./paths.ts";
import { ContestScreen } from "./screens/contest.tsx";
import { LoginScreen } from "./screens/login.tsx";
import { MatchScreen } from "./screens/match.tsx";
import { MatchesScreen } from "./screens/matches.tsx";
import { MineScreen } from "./screens/mine.tsx";
import { TeamScreen } from "./screens/team.tsx";
import { WalletScreen } from "./screens/wallet.tsx";
import { place, pathname } from "./state/router.ts";

export interface ScreenProps {
  readonly params: Params;
}

/** Administration is a bundle of its own: players never load it. */
const later = (load: () => Promise<ComponentType<ScreenProps>>) =>
  function Later({ params }: ScreenProps) {
    const [Screen, setScreen] = useState<ComponentType<ScreenProps> | null>(null);
    useEffect(() => void load().then((loaded) => setScreen(() => loaded)), []);
    return Screen === null ? <Loading what="administration" /> : <Screen params={params} />;
  };

const SCREENS: Readonly<Record<ScreenName, ComponentType<ScreenProps>>> = {
  matches: MatchesScreen,
  login: LoginScreen,
  match: MatchScreen,
  team: TeamScreen,
  contest: ContestScreen,
  mine: MineScreen,
  wallet: WalletScreen,
  admin: later(async () => (await import("./screens/admin.tsx")).AdminScreen),
  adminMatch: later(async () => (await import("./screens/admin-match.tsx")).AdminMatchScreen),
};

export function Shell() {
  const here = place.value;
  const Screen = here === null ? NotFound : SCREENS[here.screen];
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <TopBar />
      <ConnectionBanner />
      <main id="main" tabIndex={-1}>
        <Screen key={pathname.value} params={here?.params ?? {}} />
      </main>
      <footer class="foot">
        <p>Powerplay is open source. Points, ranks and prizes are computed by the node that served this page.</p>
      </footer>
      <BottomBar />
      <Toasts />
    </>
  );
}
