/**
 * The child of the crash test: a node under load that reports every acknowledged save, join and score event on a line of its
 * own, and is killed by its parent at any instant.
 */
import type { Config } from "../config.ts";
import { RandomRosters } from "../demo/random-roster.ts";
import { contestId, type MatchId, matchId, teamNo, type UserId } from "../domain/ids.ts";
import { rupees } from "../domain/money.ts";
import { seededRandom } from "../domain/random.ts";
import { ROSTER_RULES } from "../domain/roster.ts";
import { startNode } from "../main.ts";
import { gatewayAccount, userAccount } from "../domain/account.ts";
import { adaptCricsheet } from "../stream/cricsheet.ts";
import { generateMatch } from "../stream/match-generator.ts";

export type Acknowledged =
  | {
      readonly kind: "save";
      readonly user: number;
      readonly team: number;
      readonly version: number;
      readonly roster: string;
    }
  | { readonly kind: "join"; readonly user: number; readonly contest: number; readonly entry: number }
  | { readonly kind: "cancel"; readonly contest: number; readonly entryCount: number }
  | { readonly kind: "event"; readonly match: number; readonly id: string; readonly version: number };

interface Load {
  readonly config: Config;
  readonly round: number;
}

const { config, round } = JSON.parse(process.argv[2]!) as Load;
const USERS = 40;
const random = seededRandom(100 + round);
const adapted = adaptCricsheet(generateMatch(3));
if (!adapted.ok) throw new Error("the generated match is broken");
const game = adapted.match;
const rosters = new RandomRosters(game.squad, ROSTER_RULES["modern"]!);

// A clock of its own, so that one match stays open for saves while another one's deadline has passed.
let nowMs = Date.now();
const clock = { nowMs: () => nowMs++ };
const node = await startNode(config, { clock, log: () => undefined });
const { catalog, ledger } = node;

const terms = { name: "Crash", sides: ["A", "B"], format: "T20", scoringRules: "base", rosterRules: "modern" } as const;
async function newMatch(startMs: number): Promise<MatchId> {
  const created = await catalog.createMatch({ ...terms, startMs });
  await catalog.putSquad(created.id, game.squad);
  return created.id;
}
// Round 0 lays the ground, later rounds find it as the crash left it.
const [first] = await catalog.matches({ limit: 1, states: ["upcoming"] });
const open = first?.id ?? (await newMatch(nowMs + 1_000_000_000));
const [started] = await catalog.matches({ limit: 1, states: ["locked", "live", "review"] });
let live = started?.id;
if (live === undefined) {
  live = await newMatch(nowMs - 1);
  await node.game.admin.lock(live);
}
if ((await catalog.contests(open)).length === 0) {
  // One that everybody gets into, paid and free, and one that fills up: each round finds fewer seats.
  for (const [fee, entriesMax] of [
    [0, 1_000_000],
    [5, 1_000_000],
    [2, 150],
  ] as const) {
    await newContest(`fee ${fee}`, fee, entriesMax);
  }
}
const contests = (await catalog.contests(open))
  .filter(({ name }) => name.startsWith("fee"))
  .map(({ id }) => contestId(id));

function newContest(name: string, fee: number, entriesMax: number) {
  return catalog.createContest({
    matchId: matchId(open),
    kind: fee === 0 ? "free" : "paid",
    name,
    entryFeePaise: rupees(fee),
    entriesMax,
    entriesPerUserMax: 20,
    prizePoolPaise: rupees(0),
    prizes: [],
    guaranteed: true,
    inviteCode: null,
  });
}

const users: UserId[] = [];
for (let index = 0; index < USERS; index++) {
  const name = `crash-${round}-${index}`;
  const made = await catalog.createUser({ name, role: "user", passwordHash: null, createdAtMs: nowMs });
  if (!made.ok) throw new Error(`${name} is taken`);
  users.push(made.user.id);
  await ledger.transfer([
    {
      txnId: `fund:${name}`,
      debit: gatewayAccount,
      credit: userAccount(made.user.id),
      amountPaise: rupees(1_000),
      kind: "deposit",
      ref: name,
      atMs: nowMs,
    },
  ]);
}

const report = (acknowledged: Acknowledged) => process.stdout.write(`${JSON.stringify(acknowledged)}\n`);
process.stdout.write("ready\n");

await Promise.all([
  ...users.map(async (user) => {
    for (let team = 1; team <= 20; team++) {
      const saved = await node.game.teams.save(user, open, teamNo(team), rosters.draw(random));
      if (!saved.ok) throw new Error(saved.refusal);
      const roster = Buffer.from(saved.team.roster).toString("hex");
      report({ kind: "save", user, team, version: saved.team.version, roster });
      for (const contest of contests) {
        const joined = await node.game.joins.join(user, contest, teamNo(team), {
          idempotencyKey: null,
          inviteCode: null,
        });
        if (!joined.ok && joined.refusal === "contest_full") continue;
        if (!joined.ok) throw new Error(joined.refusal);
        report({ kind: "join", user, contest, entry: joined.entry.entryId });
      }
    }
  }),
  (async () => {
    // Contests that are cancelled while they are being joined: every fee goes back, whenever the process dies.
    for (let count = 0; ; count++) {
      const { id } = await newContest(`cancelled ${round}.${count}`, 1, 1_000);
      await node.game.teams.save(users[0]!, open, teamNo(1), rosters.draw(random));
      const joining = users.map((user) =>
        node.game.joins.join(user, id, teamNo(1), { idempotencyKey: null, inviteCode: null }),
      );
      await joining[0];
      const cancelled = await node.game.admin.cancelContest(id);
      if (!cancelled.ok) throw new Error(cancelled.message);
      await Promise.all(joining);
      report({ kind: "cancel", contest: id, entryCount: await catalog.entryCount(id) });
    }
  })(),
  (async () => {
    for (const event of game.events) {
      // Versions above those of the round before, so that every round's events count.
      const sent = { ...event, version: event.version + round };
      const accepted = await node.game.feed.accept(live, sent);
      if (!accepted.ok) throw new Error(accepted.refusal);
      report({ kind: "event", match: live, id: sent.id, version: sent.version });
    }
  })(),
]);
