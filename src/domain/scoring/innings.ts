/** One innings as it stands: the total for the scoreboard, and every over, since a maiden belongs to an over. */
export interface Innings {
  readonly number: number;
  readonly superOver: boolean;
  runs: number;
  wickets: number;
  /** Deliveries and awards counted, by batting side; with none left, the innings never happened. */
  readonly eventsOfSide: [number, number];
  readonly overs: Over[];
}

interface Over {
  balls: number;
  legalBalls: number;
  conceded: number;
  readonly spells: { readonly bowler: number; balls: number }[];
  /** Pool index of the bowler who has been credited with a maiden. */
  maidenBy: number | null;
}

const BALLS_PER_OVER = 6;

export const emptyInnings = (number: number, superOver: boolean): Innings => ({
  number,
  superOver,
  runs: 0,
  wickets: 0,
  eventsOfSide: [0, 0],
  overs: [],
});

function overAt(innings: Innings, number: number): Over {
  for (let next = innings.overs.length; next <= number; next++) {
    innings.overs.push({ balls: 0, legalBalls: 0, conceded: 0, spells: [], maidenBy: null });
  }
  return innings.overs[number]!;
}

/** Adds a delivery to its over (`sign` 1) or takes it away again (`sign` -1). */
export function countDelivery(
  innings: Innings,
  overNumber: number,
  bowler: number,
  isLegal: boolean,
  conceded: number,
  sign: 1 | -1,
): void {
  const over = overAt(innings, overNumber);
  over.balls += sign;
  if (isLegal) over.legalBalls += sign;
  over.conceded += sign * conceded;
  const spell = over.spells.find((spell) => spell.bowler === bowler);
  if (spell === undefined) over.spells.push({ bowler, balls: sign });
  else spell.balls += sign;
}

/**
 * The bowler of a maiden: a complete over by one bowler that cost him nothing. Six legal balls complete an over; five do
 * once a later over has begun, because umpires miscount.
 */
function maidenBowler(innings: Innings, overNumber: number): number | null {
  const over = innings.overs[overNumber]!;
  if (over.conceded !== 0 || over.legalBalls < BALLS_PER_OVER - 1) return null;
  if (over.legalBalls < BALLS_PER_OVER && (innings.overs[overNumber + 1]?.balls ?? 0) === 0) return null;
  const bowlers = over.spells.filter((spell) => spell.balls > 0);
  return bowlers.length === 1 ? bowlers[0]!.bowler : null;
}

/** Settles who has a maiden in the over of a delivery just counted, and in the one before it. */
export function settleMaidens(
  innings: Innings,
  overNumber: number,
  credit: (bowler: number, maidens: 1 | -1) => void,
): void {
  for (let number = Math.max(0, overNumber - 1); number <= overNumber; number++) {
    const over = innings.overs[number]!;
    const bowler = maidenBowler(innings, number);
    if (bowler === over.maidenBy) continue;
    if (over.maidenBy !== null) credit(over.maidenBy, -1);
    if (bowler !== null) credit(bowler, 1);
    over.maidenBy = bowler;
  }
}

/** One line of a scoreboard. */
export interface InningsBoard {
  readonly innings: number;
  /** Index of the batting side. */
  readonly side: 0 | 1;
  readonly superOver: boolean;
  readonly runs: number;
  readonly wickets: number;
  /** Complete overs and legal balls of the one under way: "19.4". */
  readonly overs: string;
}

export function inningsBoard(innings: Innings): InningsBoard {
  const { number, superOver, runs, wickets, eventsOfSide } = innings;
  const side = eventsOfSide[1] > eventsOfSide[0] ? 1 : 0;
  const last = innings.overs.findLastIndex((over) => over.balls > 0);
  const legalBalls = innings.overs[last]?.legalBalls ?? 0;
  const overs = legalBalls >= BALLS_PER_OVER ? `${last + 1}.0` : `${Math.max(last, 0)}.${legalBalls}`;
  return { innings: number, side, superOver, runs, wickets, overs };
}
