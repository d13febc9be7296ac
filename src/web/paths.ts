/** Every address of the app: the node answers each with the page, the page shows its screen. */
export const SCREENS = {
  matches: "/",
  login: "/login",
  match: "/matches/:match",
  team: "/matches/:match/teams/:team",
  contest: "/contests/:contest",
  mine: "/mine",
  wallet: "/wallet",
  admin: "/admin",
  adminMatch: "/admin/matches/:match",
} as const;

export type ScreenName = keyof typeof SCREENS;
export type Params = Readonly<Record<string, number>>;

const PATTERNS = Object.entries(SCREENS).map(([name, path]) => ({
  name: name as ScreenName,
  keys: Array.from(path.matchAll(/:(\w+)/g), ([, key]) => key!),
  pattern: new RegExp(`^${path.replaceAll(/:\w+/g, String.raw`(\d{1,10})`)}$`),
}));

export interface Place {
  readonly screen: ScreenName;
  readonly params: Params;
}

/** null: there is no such screen. */
export function placeOf(pathname: string): Place | null {
  for (const { name, keys, pattern } of PATTERNS) {
    const found = pattern.exec(pathname);
    if (found === null) continue;
    return { screen: name, params: Object.fromEntries(keys.map((key, index) => [key, Number(found[index + 1])])) };
  }
  return null;
}

export const pathTo = {
  match: (match: number) => `/matches/${match}`,
  team: (match: number, team: number) => `/matches/${match}/teams/${team}`,
  contest: (contest: number) => `/contests/${contest}`,
  adminMatch: (match: number) => `/admin/matches/${match}`,
};
