import type { Clock } from "../domain/clock.ts";
import { type EntryId, entryId, type MatchId, type TeamNo, teamOfEntry, teamNo, type UserId } from "../domain/ids.ts";
import { TEAMS_PER_USER_MAX } from "../domain/contest.ts";
import { isBeforeDeadline } from "../domain/match.ts";
import { checkRosterIndexed, type RosterDraft } from "../domain/roster.ts";
import type { SavedTeam, SaveTeamResult, Teams } from "../edge/game.ts";
import { type EventLog, partitionOf } from "../stores/event-log/port.ts";
import type { HotStore } from "../stores/hot-store/port.ts";
import type { TeamStore } from "../stores/team-store/port.ts";
import type { MatchCache } from "./match-cache.ts";
import { decodeTeamSave, encodeTeamSave, TEAM_SAVE_BYTES } from "./records.ts";

export interface TeamSavesDeps {
  readonly log: EventLog;
  readonly hotStore: HotStore;
  readonly teamStore: TeamStore;
  readonly matches: MatchCache;
  readonly clock: Clock;
  readonly currentTeamTtlMs: number;
  /** Resolves when the materialiser has stored everything that the log's partition holds now. */
  readonly materialised: (partition: number) => Promise<void>;
}

/**
 * Saving a team: validate, check the deadline on server time, make it durable in the log, remember it as the current team,
 * answer. Guard one of three: what arrives at or after the deadline is refused here; the materialiser and the index
 * builder refuse it again by the time in the record.
 */
export class TeamSaves implements Teams {
  readonly #deps: TeamSavesDeps;
  readonly #inFlight = new Map<MatchId, number>();
  readonly #drainWaiters: { match: MatchId; resolve: () => void }[] = [];

  constructor(deps: TeamSavesDeps) {
    this.#deps = deps;
  }

  async save(user: UserId, match: MatchId, team: TeamNo, draft: RosterDraft): Promise<SaveTeamResult> {
    const { clock, log, matches } = this.#deps;
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
    this.#inFlight.set(match, (this.#inFlight.get(match) ?? 0) + 1);
    let version: number;
    try {
      version = (await log.append("team-saves", user, record)).offset + 1;
    } finally {
      this.#landed(match);
    }
    const saved: SavedTeam = { matchId: match, teamNo: team, version, savedAtMs: nowMs, roster: check.roster };
    await this.#remember(entry, record, version);
    return { ok: true, team: saved };
  }

  async list(user: UserId, match: MatchId): Promise<SavedTeam[]> {
    const entries = Array.from({ length: TEAMS_PER_USER_MAX }, (_, index) => entryId(user, teamNo(index + 1)));
    const [stored, ...current] = await Promise.all([
      this.#deps.teamStore.teams(match, user),
      ...entries.map((entry) => this.#current(match, entry)),
    ]);
    const newest = new Map<TeamNo, SavedTeam>();
    for (const { entryId: entry, version, savedAtMs, roster } of stored) {
      newest.set(teamOfEntry(entry), { matchId: match, teamNo: teamOfEntry(entry), version, savedAtMs, roster });
    }
    for (const team of current) {
      if (team !== null && team.version > (newest.get(team.teamNo)?.version ?? 0)) newest.set(team.teamNo, team);
    }
    return [...newest.values()].sort((a, b) => a.teamNo - b.teamNo);
  }

  async versions(user: UserId, match: MatchId, team: TeamNo): Promise<SavedTeam[]> {
    await this.#deps.materialised(partitionOf("team-saves", user));
    const rows = await this.#deps.teamStore.versions(match, entryId(user, team));
    return rows.map(({ version, savedAtMs, roster }) => ({ matchId: match, teamNo: team, version, savedAtMs, roster }));
  }

  /** Whether the user has saved this team; asked before a join. */
  async exists(user: UserId, match: MatchId, team: TeamNo): Promise<boolean> {
    const entry = entryId(user, team);
    if ((await this.#current(match, entry)) !== null) return true;
    // The hot store forgets; the log does not.
    await this.#deps.materialised(partitionOf("team-saves", user));
    const stored = await this.#deps.teamStore.teams(match, user);
    return stored.some((row) => row.entryId === entry);
  }

  /** Resolves when no save of the match that passed the deadline check is still on its way into the log. */
  drained(match: MatchId): Promise<void> {
    if (!this.#inFlight.has(match)) return Promise.resolve();
    return new Promise((resolve) => this.#drainWaiters.push({ match, resolve }));
  }

  #landed(match: MatchId): void {
    const left = this.#inFlight.get(match)! - 1;
    if (left > 0) {
      this.#inFlight.set(match, left);
      return;
    }
    this.#inFlight.delete(match);
    for (let index = this.#drainWaiters.length - 1; index >= 0; index--) {
      if (this.#drainWaiters[index]!.match === match) this.#drainWaiters.splice(index, 1)[0]!.resolve();
    }
  }

  async #remember(entry: EntryId, record: Uint8Array, version: number): Promise<void> {
    const { hotStore, currentTeamTtlMs } = this.#deps;
    const value = new Uint8Array(TEAM_SAVE_BYTES + 8);
    value.set(record);
    new DataView(value.buffer).setFloat64(TEAM_SAVE_BYTES, version, true);
    const { matchId } = decodeTeamSave(record);
    // The save is durable already: a hot store that is away costs the next reader time and nobody a team.
    await hotStore.set(currentTeamKey(matchId, entry), value, currentTeamTtlMs).catch(() => undefined);
  }

  async #current(match: MatchId, entry: EntryId): Promise<SavedTeam | null> {
    const value = await this.#deps.hotStore.get(currentTeamKey(match, entry)).catch(() => null);
    if (value === null) return null;
    const { serverTsMs, roster } = decodeTeamSave(value.subarray(0, TEAM_SAVE_BYTES));
    const version = new DataView(value.buffer, value.byteOffset).getFloat64(TEAM_SAVE_BYTES, true);
    return { matchId: match, teamNo: teamOfEntry(entry), version, savedAtMs: serverTsMs, roster };
  }
}

const currentTeamKey = (match: MatchId, entry: EntryId): string => `team:${match}:${entry}`;
