import type { Random } from "../domain/random.ts";
import type { Role } from "../domain/squad.ts";
import type { CricsheetDelivery, CricsheetInnings, CricsheetWicket } from "./cricsheet-file.ts";

/** A player on his day: skills from 0 (none) to 1 (the best there are). */
export interface SimulatedPlayer {
  readonly name: string;
  readonly role: Role;
  readonly batting: number;
  readonly bowling: number;
}

/** A player who comes in before the first ball of the innings. */
export interface ImpactSubstitute {
  readonly in: string;
  readonly out: string;
  readonly team: string;
}

export interface InningsPlan {
  readonly team: string;
  /** In batting order. */
  readonly batting: readonly SimulatedPlayer[];
  readonly fielding: readonly SimulatedPlayer[];
  readonly substituteFielder: string;
  readonly oversMax: number;
  readonly wicketsMax: number;
  readonly oversPerBowlerMax: number;
  /** Runs to win; null when batting first. */
  readonly target: number | null;
  readonly superOver: boolean;
  readonly impactSubstitutes: readonly ImpactSubstitute[];
}

const BALLS_PER_OVER = 6;
const PAR_RUNS_PER_OVER = 8.2;

/** How often a free choice of the usual outcomes happens, of 1,000 legal balls of average players. */
const OUTCOMES = [
  { runs: 0, weight: 345 },
  { runs: 1, weight: 385 },
  { runs: 2, weight: 70 },
  { runs: 3, weight: 4 },
  { runs: 4, weight: 122 },
  { runs: 6, weight: 57 },
] as const;
const WICKET_WEIGHT = 52;

const WIDE_CHANCE = 0.032;
const NO_BALL_CHANCE = 0.004;
const BYE_CHANCE = 0.004;
const LEG_BYE_CHANCE = 0.012;
const OVERTHROW_FOUR_CHANCE = 0.001;
const SUBSTITUTE_FIELDS_CHANCE = 0.02;

type WicketKind = CricsheetWicket["kind"];
/** Of 1,000 wickets. */
const WICKET_WEIGHTS: readonly (readonly [WicketKind, number])[] = [
  ["caught", 615],
  ["bowled", 165],
  ["lbw", 75],
  ["run out", 70],
  ["stumped", 30],
  ["caught and bowled", 30],
  ["hit wicket", 4],
  ["retired hurt", 5],
  ["retired out", 4],
  ["obstructing the field", 2],
];
/** A free hit may be run out and nothing else. */
const FREE_HIT_WICKETS: ReadonlySet<WicketKind> = new Set(["run out"]);

/** Bats one innings to its end, ball by ball. Returns it in Cricsheet's form together with its total. */
export function simulateInnings(plan: InningsPlan, random: Random): { innings: CricsheetInnings; total: number } {
  return new InningsSimulator(plan, random).play();
}

class InningsSimulator {
  readonly #plan: InningsPlan;
  readonly #random: Random;
  readonly #oversBowled = new Map<SimulatedPlayer, number>();
  #striker: SimulatedPlayer;
  #nonStriker: SimulatedPlayer;
  #nextBatter = 2;
  #total = 0;
  #wickets = 0;
  #legalBalls = 0;
  #isOver = false;
  #isFreeHit = false;

  constructor(plan: InningsPlan, random: Random) {
    this.#plan = plan;
    this.#random = random;
    this.#striker = plan.batting[0]!;
    this.#nonStriker = plan.batting[1]!;
  }

  play(): { innings: CricsheetInnings; total: number } {
    const { team, oversMax, superOver, impactSubstitutes } = this.#plan;
    const overs: CricsheetInnings["overs"] = [];
    let bowler: SimulatedPlayer | null = null;
    for (let over = 0; over < oversMax && !this.#isOver; over++) {
      bowler = this.#nextBowler(bowler);
      overs.push({ over, deliveries: this.#playOver(over, bowler) });
      this.#swapEnds();
    }
    if (impactSubstitutes.length > 0) {
      const match = impactSubstitutes.map((substitute) => ({ ...substitute, reason: "impact_player" }));
      overs[0]!.deliveries[0]!.replacements = { match };
    }
    return { innings: superOver ? { team, overs, super_over: true } : { team, overs }, total: this.#total };
  }

  #playOver(over: number, bowler: SimulatedPlayer): CricsheetDelivery[] {
    const deliveries: CricsheetDelivery[] = [];
    for (let legal = 0; legal < BALLS_PER_OVER && !this.#isOver;) {
      const delivery = this.#playDelivery(over, bowler);
      deliveries.push(delivery);
      const { wides, noballs } = delivery.extras ?? {};
      if (wides === undefined && noballs === undefined) {
        legal++;
        this.#legalBalls++;
      }
    }
    return deliveries;
  }

  /** Never the bowler of the last over, never beyond the quota, better bowlers rather than worse. */
  #nextBowler(last: SimulatedPlayer | null): SimulatedPlayer {
    const { fielding, oversPerBowlerMax } = this.#plan;
    const overs = (player: SimulatedPlayer) => this.#oversBowled.get(player) ?? 0;
    const able = fielding.filter(
      (player) => player.bowling > 0.3 && player !== last && overs(player) < oversPerBowlerMax,
    );
    const weights = able.map((player) => player.bowling ** 2 * (oversPerBowlerMax - overs(player)) ** 2);
    const bowler = able[this.#random.weighted(weights)]!;
    this.#oversBowled.set(bowler, overs(bowler) + 1);
    return bowler;
  }

  #playDelivery(over: number, bowler: SimulatedPlayer): CricsheetDelivery {
    const random = this.#random;
    const [batter, nonStriker] = [this.#striker, this.#nonStriker];
    const extras: NonNullable<CricsheetDelivery["extras"]> = {};
    let batterRuns = 0;
    let runsRun = 0;
    let isNonBoundary = false;
    let wicket: CricsheetWicket | null = null;

    if (random.chance(WIDE_CHANCE)) {
      runsRun = random.weighted([88, 9, 3]);
      extras.wides = 1 + runsRun;
      if (random.chance(0.01)) wicket = this.#wicketOf("stumped", batter, bowler);
    } else {
      const isFreeHit = this.#isFreeHit;
      this.#isFreeHit = false;
      if (random.chance(NO_BALL_CHANCE)) {
        extras.noballs = 1;
        this.#isFreeHit = true;
      }
      if (random.chance(BYE_CHANCE)) {
        runsRun = extras.byes = 1 + random.weighted([80, 15, 1, 4]);
      } else if (random.chance(LEG_BYE_CHANCE)) {
        runsRun = extras.legbyes = 1 + random.weighted([88, 8, 1, 3]);
      } else {
        const outcome = this.#strike(over, batter, bowler);
        if (outcome === "wicket") {
          const kind = WICKET_WEIGHTS[random.weighted(WICKET_WEIGHTS.map(([, weight]) => weight))]![0];
          const isAllowed = FREE_HIT_WICKETS.has(kind) || !(isFreeHit || this.#isFreeHit);
          if (isAllowed) wicket = this.#wicketOf(kind, batter, bowler);
          if (wicket?.kind === "run out") batterRuns = runsRun = random.weighted([60, 35, 5]);
        } else {
          batterRuns = outcome;
          runsRun = outcome === 4 || outcome === 6 ? 0 : outcome;
          if (outcome === 1 && random.chance(OVERTHROW_FOUR_CHANCE)) {
            batterRuns = runsRun = 4;
            isNonBoundary = true;
          }
        }
      }
    }

    const extraRuns = Object.values(extras).reduce((sum, runs) => sum + runs, 0);
    this.#total += batterRuns + extraRuns;
    if (runsRun % 2 === 1) this.#swapEnds();
    if (wicket !== null) this.#replace(wicket);
    if (this.#plan.target !== null && this.#total >= this.#plan.target) this.#isOver = true;

    const runs = { batter: batterRuns, extras: extraRuns, total: batterRuns + extraRuns };
    return {
      batter: batter.name,
      bowler: bowler.name,
      non_striker: nonStriker.name,
      runs: isNonBoundary ? { ...runs, non_boundary: true } : runs,
      ...(extraRuns > 0 && { extras }),
      ...(wicket !== null && { wickets: [wicket] }),
    };
  }

  /** What the batter makes of a ball that he can reach: a better batter scores more, one in need hits out and falls more. */
  #strike(over: number, batter: SimulatedPlayer, bowler: SimulatedPlayer): number | "wicket" {
    const aggression = this.#aggression(over);
    const boundary = (0.45 + 0.8 * batter.batting) * (1.32 - 0.5 * bowler.bowling) * aggression;
    const safety = (1.75 - batter.batting) * (0.55 + 0.6 * bowler.bowling) * aggression ** 1.3;
    const weights = OUTCOMES.map(({ runs, weight }) => {
      if (runs >= 4) return weight * boundary;
      return runs === 0 ? weight / Math.sqrt(boundary) : weight;
    });
    const choice = this.#random.weighted([...weights, WICKET_WEIGHT * safety]);
    return OUTCOMES[choice]?.runs ?? "wicket";
  }

  /** 1 is the middle of an even innings; field restrictions, the last overs and a steep chase raise it. */
  #aggression(over: number): number {
    const { oversMax, target } = this.#plan;
    const phase = over >= oversMax - 4 ? 1.3 : over < 6 ? 1.05 : 0.9;
    if (target === null) return phase;
    const oversLeft = Math.max(oversMax - this.#legalBalls / BALLS_PER_OVER, 0.5);
    const need = (target - this.#total) / oversLeft / PAR_RUNS_PER_OVER;
    return Math.min(1.7, Math.max(0.8, (phase + need) / 2));
  }

  #wicketOf(kind: WicketKind, batter: SimulatedPlayer, bowler: SimulatedPlayer): CricsheetWicket {
    const random = this.#random;
    const keeper = this.#plan.fielding.find((player) => player.role === "WK")!;
    const others = this.#plan.fielding.filter((player) => player !== bowler && player !== keeper);
    const named = (player: SimulatedPlayer) => ({ name: player.name });
    const inTheField = () =>
      random.chance(SUBSTITUTE_FIELDS_CHANCE)
        ? { name: this.#plan.substituteFielder, substitute: true }
        : named(random.pick(others));

    switch (kind) {
      case "caught":
        return { kind, player_out: batter.name, fielders: [random.chance(0.2) ? named(keeper) : inTheField()] };
      case "stumped":
        return { kind, player_out: batter.name, fielders: [named(keeper)] };
      case "run out": {
        const out = random.chance(0.6) ? this.#nonStriker : batter;
        const thrower = inTheField();
        const isDirectHit = random.chance(0.35);
        const catcher = named(random.chance(0.6) ? keeper : bowler);
        return { kind, player_out: out.name, fielders: isDirectHit ? [thrower] : [thrower, catcher] };
      }
      default:
        return { kind, player_out: batter.name };
    }
  }

  #replace(wicket: CricsheetWicket): void {
    if (wicket.kind !== "retired hurt") this.#wickets++;
    const next = this.#plan.batting[this.#nextBatter++];
    if (next === undefined || this.#wickets >= this.#plan.wicketsMax) this.#isOver = true;
    else if (this.#striker.name === wicket.player_out) this.#striker = next;
    else this.#nonStriker = next;
  }

  #swapEnds(): void {
    [this.#striker, this.#nonStriker] = [this.#nonStriker, this.#striker];
  }
}
