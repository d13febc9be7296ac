/** What one player did in one innings. Milestones, ducks and hauls are counted by innings. */
export interface InningsStats {
  runs: number;
  timesOut: number;
  wickets: number;
}

/** What one player did in the match: sums over balls, so that taking a ball away is adding it with the sign turned. */
export interface PlayerStats {
  lineups: number;
  substitutions: number;
  runs: number;
  ballsFaced: number;
  fours: number;
  sixes: number;
  wickets: number;
  lbwOrBowled: number;
  legalBalls: number;
  conceded: number;
  maidens: number;
  dots: number;
  catches: number;
  stumpings: number;
  runOutsDirect: number;
  runOutsThrown: number;
  runOutsCaught: number;
  /** One a different innings in which the player batted or bowled. */
  readonly innings: { readonly number: number; readonly stats: InningsStats }[];
}

export function emptyStats(): PlayerStats {
  return {
    lineups: 0,
    substitutions: 0,
    runs: 0,
    ballsFaced: 0,
    fours: 0,
    sixes: 0,
    wickets: 0,
    lbwOrBowled: 0,
    legalBalls: 0,
    conceded: 0,
    maidens: 0,
    dots: 0,
    catches: 0,
    stumpings: 0,
    runOutsDirect: 0,
    runOutsThrown: 0,
    runOutsCaught: 0,
    innings: [],
  };
}

/** A list beats a map here: nobody bats and bowls in more than four innings. */
export function inningsStats(player: PlayerStats, number: number): InningsStats {
  for (const entry of player.innings) if (entry.number === number) return entry.stats;
  const stats = { runs: 0, timesOut: 0, wickets: 0 };
  player.innings.push({ number, stats });
  return stats;
}
