import { limits } from "../config.ts";
import type { CricsheetMatch } from "../stream/cricsheet.ts";
import { signedIn } from "./actor.ts";
import { type MatchDay, playMatchDay } from "./match-day.ts";

/**
 * A match after the other for whoever has the app open: each appears with a window to pick a team and join, then is played
 * at a pace that eyes follow. While nobody is there nothing is played, and no clock is pushed.
 */
export async function playAlong(
  first: MatchDay,
  windowMs: number,
  chooseGame: (seed: number) => CricsheetMatch,
  signal: AbortSignal,
): Promise<void> {
  const { node, terminal } = first;
  for (let seed = first.seed + 1; ; seed++) {
    while (node.sockets.openCount === 0 && !signal.aborted) await Bun.sleep(limits.demo.visitorPollMs);
    if (signal.aborted) return;
    const game = chooseGame(seed);
    const startMs = node.clock.nowMs() + windowMs;
    terminal.say(`\nThe next match is open: ${game.facts.sides.join(" v ")}.`);
    try {
      const admin = await signedIn(node, first.admin);
      const bots = await Promise.all(first.bots.map((bot) => signedIn(node, bot)));
      const deadline = () => untilThen(node, startMs, signal);
      await playMatchDay({ ...first, admin, bots, game, seed, startMs, deadline });
    } catch (error) {
      // A node that is being stopped answers nobody any more.
      if (signal.aborted) return;
      throw error;
    }
    terminal.say("Its prizes are paid.");
  }
}

async function untilThen({ clock }: MatchDay["node"], startMs: number, signal: AbortSignal): Promise<void> {
  while (clock.nowMs() < startMs && !signal.aborted) await Bun.sleep(limits.demo.visitorPollMs);
}
