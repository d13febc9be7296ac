import type { ContestKind, ContestTerms } from "../domain/contest.ts";
import type { MatchId } from "../domain/ids.ts";
import { type Paise, paise, rupees } from "../domain/money.ts";
import type { PrizeTable } from "../domain/prizes.ts";

/**
 * Who joins what, fixed before anybody joins, so that the same seed gives the same result however the requests interleave:
 * every seat of a contest that can fill up is promised to one bot.
 */
export interface PlannedContest {
  readonly terms: ContestTerms;
  /** The bots, by index, who join it, and with which of their teams. */
  readonly joins: readonly { readonly bot: number; readonly teamNo: number }[];
}

export const DEPOSIT_PAISE: Paise = rupees(500);
export const INVITE_CODE = "POWERPLAY-FRIENDS";
const PAID_SIZE = 100;
const PRIVATE_SIZE = 10;

const firstTeam = (bot: number) => ({ bot, teamNo: 1 });

/** Every bot has 1 … 3 teams; the number is part of the plan. */
export const teamCountOf = (bot: number): number => 1 + (bot % 3);

export function planContests(matchId: MatchId, botCount: number): PlannedContest[] {
  const terms = (kind: ContestKind, name: string, rest: Partial<ContestTerms> & Pick<ContestTerms, "entriesMax">) => ({
    matchId,
    kind,
    name,
    entryFeePaise: paise(0),
    entriesPerUserMax: 1,
    prizePoolPaise: paise(0),
    prizes: [],
    guaranteed: false,
    inviteCode: null,
    ...rest,
  });
  const bots = Array.from({ length: botCount }, (_, bot) => bot);

  const megaJoins = bots.flatMap((bot) =>
    Array.from({ length: teamCountOf(bot) }, (_, index) => ({ bot, teamNo: index + 1 })),
  );
  const megaPool = paise(Math.floor(megaJoins.length * 0.85) * rupees(49));
  const mega: PlannedContest = {
    terms: terms("mega", "Mega Contest", {
      entryFeePaise: rupees(49),
      entriesMax: Math.max(2, Math.ceil(megaJoins.length * 1.1)),
      entriesPerUserMax: Math.min(3, Math.max(2, megaJoins.length)),
      prizePoolPaise: megaPool,
      prizes: megaTable(megaPool, Math.ceil(megaJoins.length / 4)),
      guaranteed: true,
    }),
    joins: megaJoins,
  };
  const free: PlannedContest = {
    terms: terms("free", "Practice Contest", {
      // Room for visitors, as everywhere that is guaranteed.
      entriesMax: Math.max(2, Math.ceil(botCount * 1.1)),
      prizePoolPaise: rupees(1_000),
      prizes: [{ fromRank: 1, toRank: 1, amountPaise: rupees(1_000) }],
      guaranteed: true,
    }),
    joins: bots.map(firstTeam),
  };
  // The last of them stays one seat short and is refunded.
  const paidCount = Math.max(1, Math.floor(botCount / (2 * PAID_SIZE)));
  const paid = Array.from({ length: paidCount }, (_, index): PlannedContest => {
    const members = bots.slice(index * PAID_SIZE, (index + 1) * PAID_SIZE);
    const pool = rupees(25 * PAID_SIZE * 0.9);
    return {
      terms: terms("paid", `Hundred Club ${index + 1}`, {
        entryFeePaise: rupees(25),
        entriesMax: PAID_SIZE,
        prizePoolPaise: pool,
        prizes: [
          { fromRank: 1, toRank: 1, shareBps: 4_000 },
          { fromRank: 2, toRank: 3, shareBps: 1_500 },
          { fromRank: 4, toRank: 10, shareBps: 425 },
          { fromRank: 11, toRank: 11, shareBps: 25 },
        ],
      }),
      joins: (index === paidCount - 1 ? members.slice(0, PAID_SIZE - 1) : members).map(firstTeam),
    };
  });
  const duelists = bots.slice(0, Math.max(3, Math.floor(botCount / 25)) | 1);
  const duels = Array.from({ length: Math.ceil(duelists.length / 2) }, (_, index): PlannedContest => ({
    terms: terms("head_to_head", `Duel ${index + 1}`, {
      entryFeePaise: rupees(100),
      entriesMax: 2,
      prizePoolPaise: rupees(180),
      prizes: [{ fromRank: 1, toRank: 1, amountPaise: rupees(180) }],
    }),
    joins: duelists.slice(index * 2, index * 2 + 2).map(firstTeam),
  }));
  const friends: PlannedContest = {
    terms: terms("private", "Friends of Powerplay", {
      entryFeePaise: rupees(10),
      entriesMax: 2 * PRIVATE_SIZE,
      prizePoolPaise: rupees(100),
      prizes: [
        { fromRank: 1, toRank: 1, amountPaise: rupees(70) },
        { fromRank: 2, toRank: 2, amountPaise: rupees(30) },
      ],
      guaranteed: true,
      inviteCode: INVITE_CODE,
    }),
    joins: bots.slice(-PRIVATE_SIZE).map(firstTeam),
  };
  return [mega, free, ...paid, ...duels, friends];
}

/** A fifth for the winner, falling steps to a small prize for the best quarter; the last paise go to the winner. */
function megaTable(pool: Paise, lastPaidRank: number): PrizeTable {
  const steps: readonly (readonly [toRank: number, share: number])[] = [
    [1, 0.2],
    [2, 0.08],
    [3, 0.05],
    [10, 0.12],
    [Math.max(11, Math.floor(lastPaidRank / 10)), 0.25],
    [Math.max(12, lastPaidRank), 0.3],
  ];
  const bands: { fromRank: number; toRank: number; amountPaise: Paise }[] = [];
  let fromRank = 1;
  let eachMax = Number.POSITIVE_INFINITY;
  let left: number = pool;
  for (const [toRank, share] of steps) {
    if (toRank > lastPaidRank && fromRank > 1) break;
    const ranks = toRank - fromRank + 1;
    const each = Math.min(eachMax, Math.floor((pool * share) / ranks));
    bands.push({ fromRank, toRank, amountPaise: paise(each) });
    left -= each * ranks;
    eachMax = each;
    fromRank = toRank + 1;
  }
  const first = bands[0]!;
  bands[0] = { ...first, amountPaise: paise(first.amountPaise + left) };
  return bands;
}
