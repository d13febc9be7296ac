import type { Clock } from "../domain/clock.ts";
import { type EntryId, entryId, type MatchId, type TeamNo, teamOfEntry, type UserId } from "../domain/ids.ts";
import { isBeforeDeadline } from "../domain/match.ts";
import { checkRosterIndexed, type RosterDraft } from "../domain/roster.ts";
import type { SavedTeam, SaveTeamResult, Teams } from "../edge/game.ts";
import { partitionOf } from "../stores/event-log/port.ts";
import type { HotStore } from "../stores/hot-store/port.ts";
import type { TeamStore, TeamVersion } from "../stores/team-store/port.ts";
import { InFlight } from "./in-flight.ts";
import type { MatchCache } from "./match-cache.ts";
import { decodeTeamSave, encodeTeamSave } from "./records.ts";
import type { SaveFence } from "./save-fence.ts";
import type { SaveSpool } from "./save-spool.ts";

export interface TeamSavesDeps {
  /** The way into the log, or past it while it is away. */
  readonly saves: Pick<SaveSpool, "append" | "ofUser">;
  readonly hotStore: HotStore;
  readonly teamStore: TeamStore;
  readonly matches: MatchCache;
  readonly clock: Clock;
  readonly fence: SaveFence;
  readonly currentTeamTtlMs: number;
  /** Resolves when the materialiser has stored everything that the log's partition holds now. */
  readonly materialised: (partition: number) => Promise<void>;
}

/**
 * Saving a team: validate, check the deadline on server time, make it durable in the log (or on this node, while the log is
 * away), remember it as the current team, answer. Guard one of three: what arrives at or after the deadline is refused here; the materialiser and the index
 * builder refuse it again by the time in the record. One that arrived in time and reached the log after the lock counts
 * nowhere, so it is refused too.
 */
export class TeamSaves implements Teams {
  readonly #deps: TeamSavesDeps;
  readonly #inFlight = new InFlight();

  constructor(deps: TeamSavesDeps) {
    this.#deps = deps;
  }

  async save(user: UserId, match: MatchId, team: TeamNo, draft: RosterDraft): Promise<SaveTeamResult> {
    const { clock, currentTeamTtlMs, fence, hotStore, matches, saves } = this.#deps;
    const info = await matches.get(match);
    if (info === null) return { ok: false, refusal: "match_not_found" };
    // Read after the await: the time in the record is the time that is checked.
    const nowMs = clock.nowMs();
    if (info.match.state !== "upcoming" || !isBeforeDeadline(info.match, nowMs)) {
      return { ok: false, refusal: "match_started" };
    }
    if (info.squad === null) return { ok: false, refusal: "squad_not_ready" };
    const check = checkRosterIndexed(draft, info.squad, info.poolIndex, info.rosterRules);
    if (!check.ok) return { ok: false, refusal: "roster_rules", faults: check.faults };

    const entry = entryId(user, team);
    const record = encodeTeamSave({ entryId: entry, matchId: match, serverTsMs: nowMs, roster: check.roster });
    const save = await this.#inFlight.track(match, () => saves.append(user, info.match, record));
    if (save.outcome === "too_late") return { ok: false, refusal: "match_started" };
    if (save.outcome === "logged" && save.offset >= (await fence.endOf(info.match, save.partition))) {
      return { ok: false, refusal: "match_started" };
    }
    // The save is durable already: a hot store that is away costs the next reader time and nobody a team.
    await hotStore.set(currentTeamKey(match, entry), record, currentTeamTtlMs).catch(() => undefined);
    const version = save.outcome === "logged" ? save.offset + 1 : NOT_NUMBERED;
    return { ok: true, team: { matchId: match, teamNo: team, version, savedAtMs: nowMs, roster: check.roster } };
  }

  async list(user: UserId, match: MatchId): Promise<SavedTeam[]> {
    const waiting = await this.#waiting(user, match);
    await this.#deps.materialised(partitionOf("team-saves", user));
    const stored = (await this.#deps.teamStore.teams(match, user)).map(savedTeam);
    const newest = new Map(stored.map((team) => [team.teamNo, team]));
    // Another node may have taken a later save meanwhile.
    for (const team of waiting) {
      if (team.savedAtMs >= (newest.get(team.teamNo)?.savedAtMs ?? 0)) newest.set(team.teamNo, team);
    }
    return [...newest.values()].sort((a, b) => a.teamNo - b.teamNo);
  }

  async versions(user: UserId, match: MatchId, team: TeamNo): Promise<SavedTeam[]> {
    const waiting = await this.#waiting(user, match);
    await this.#deps.materialised(partitionOf("team-saves", user));
    const stored = (await this.#deps.teamStore.versions(match, entryId(user, team))).map(savedTeam);
    return [...stored, ...waiting.filter(({ teamNo }) => teamNo === team)];
  }

  /** Whether the user has saved this team; asked before a join. */
  async exists(user: UserId, match: MatchId, team: TeamNo): Promise<boolean> {
    const entry = entryId(user, team);
    const current = await this.#deps.hotStore.get(currentTeamKey(match, entry)).catch(() => null);
    if (current !== null) return true;
    if ((await this.#waiting(user, match)).some(({ teamNo }) => teamNo === team)) return true;
    // The hot store forgets; the log does not.
    await this.#deps.materialised(partitionOf("team-saves", user));
    const stored = await this.#deps.teamStore.teams(match, user);
    return stored.some((row) => row.entryId === entry);
  }

  /** What is in this node's spool, oldest first. Asked before the team store, to which it may move meanwhile. */
  async #waiting(user: UserId, match: MatchId): Promise<SavedTeam[]> {
    const saves = (await this.#deps.saves.ofUser(user)).map(decodeTeamSave).filter((save) => save.matchId === match);
    return saves.map(({ serverTsMs, ...save }) => savedTeam({ ...save, version: NOT_NUMBERED, savedAtMs: serverTsMs }));
  }

  /** Resolves when no save of the match that passed the deadline check is still on its way into the log. */
  drained(match: MatchId): Promise<void> {
    return this.#inFlight.drained(match);
  }
}

/** The version of a save that the log has not taken yet. */
const NOT_NUMBERED = 0;

const savedTeam = ({ matchId, entryId: entry, version, savedAtMs, roster }: TeamVersion): SavedTeam => ({
  matchId,
  teamNo: teamOfEntry(entry),
  version,
  savedAtMs,
  roster,
});

const currentTeamKey = (match: MatchId, entry: EntryId): string => `team:${match}:${entry}`;
