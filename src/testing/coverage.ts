import type { EntryId } from "../domain/ids.ts";
import { userAccount } from "../domain/account.ts";
import { START_MS } from "./simulated-game.ts";
import { forEachRecord, TOPICS } from "../stores/event-log/port.ts";
import { decodeTeamSave, isSpooled, LATE_MS } from "../stream/records.ts";
import { scoreRecords } from "./simulated-scores.ts";
import type { Outcome } from "./simulation.ts";

/** What a run went through, in the words that the test asks for: its sightings, and what its books tell. */
export async function coverageOf(outcome: Outcome): Promise<Readonly<Record<string, number>>> {
  const { sightings, stores, matchId, users } = outcome;
  const { catalog, ledger, log, teamStore } = stores;
  for (const { state } of await catalog.contests(matchId)) sightings.saw(`contest ${state}`);
  sightings.saw(`match ${(await catalog.match(matchId))!.state}`);
  for (const user of users) {
    for (const { kind, txnId } of await ledger.history(userAccount(user), { limit: 1e9 })) {
      sightings.saw(`transfer ${kind === "refund" || kind === "withdrawal_returned" ? txnId.split(":")[0] : kind}`);
    }
  }
  const { totalsPaise } = await ledger.audit();
  sightings.saw("transfer void", totalsPaise.void ? 1 : 0);
  sightings.saw("transfer margin", totalsPaise.margin ? 1 : 0);
  for (const withdrawal of await catalog.withdrawals(["paid", "returned"], 1e9)) {
    sightings.saw(`withdrawal ${withdrawal.state}`);
  }
  const records = await scoreRecords(log, matchId);
  const release = records.findIndex(({ kind }) => kind === "release");
  if (release >= 0) {
    sightings.saw("feed event after the release", records.slice(release).filter(({ kind }) => kind === "event").length);
  }
  for (let partition = 0; partition < TOPICS["team-saves"].partitionCount; partition++) {
    const batch = await log.read("team-saves", partition, 0, 1e9, 0);
    const newestMs = new Map<EntryId, number>();
    forEachRecord(batch, (value) => {
      const { entryId, serverTsMs } = decodeTeamSave(value);
      if (serverTsMs > START_MS - 50) sightings.saw("save in the last 50 ms");
      const lateMs = (newestMs.get(entryId) ?? serverTsMs) - serverTsMs;
      if (lateMs > 0 && isSpooled(value)) sightings.saw("out of a spool behind a later save");
      if (lateMs > LATE_MS && !isSpooled(value)) sightings.saw("in the log long after it was given up");
      newestMs.set(entryId, Math.max(serverTsMs, serverTsMs + lateMs));
    });
    sightings.saw("team version stored", await teamStore.teamsPosition(partition));
  }
  return sightings.counts();
}
