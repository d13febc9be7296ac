/**
 * A member of a group in a process of its own, for tests that kill one; prints the partitions that it owns at each change.
 *
 *   bun member.ts <url> <member id>
 */
import { writeSync } from "node:fs";
import { openKafkaEventLog } from "../kafka.ts";
import { KAFKA_TEST_OPTIONS } from "./testing.ts";

const [url, memberId] = process.argv.slice(2) as [string, string];
const log = await openKafkaEventLog({ ...KAFKA_TEST_OPTIONS, url, memberId });
await log.share("team-saves", "owners", (partitions) => void writeSync(1, `${JSON.stringify(partitions)}\n`));
