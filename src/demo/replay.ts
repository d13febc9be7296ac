import { adaptCricsheet, type CricsheetMatch } from "../stream/cricsheet.ts";
import type { FeedEvent } from "../domain/feed.ts";
import { signFeed } from "../edge/feed-signature.ts";
import type { Send } from "./api-client.ts";

/** Reads a Cricsheet JSON file; the error names the file and each wrong place in it. */
export async function readCricsheetFile(path: string): Promise<CricsheetMatch> {
  const file = Bun.file(path);
  if (!(await file.exists())) throw new Error(`${path}: no such file`);
  let json: unknown;
  try {
    json = await file.json();
  } catch (error) {
    throw new Error(`${path}: is not JSON: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  const adapted = adaptCricsheet(json);
  if (adapted.ok) return adapted.match;
  throw new Error(`${path}:\n${adapted.faults.map((fault) => `  ${fault.field}: ${fault.message}`).join("\n")}`);
}

export interface FeedTarget {
  readonly baseUrl: string;
  readonly matchId: number;
  readonly feedSecret: string;
  readonly nowMs: () => number;
  /** Absent: by `fetch`. */
  readonly send?: Send | undefined;
}

const RETRIES_MAX = 20;
const RETRY_MS = 250;

/**
 * Posts one event as a provider would, signed, and again while the node says that it can't take it now (503) or has not
 * locked the match yet (409). Sending twice is harmless: an event is known by its id and version.
 */
export async function postFeedEvent(target: FeedTarget, event: FeedEvent): Promise<void> {
  const body = JSON.stringify(event);
  for (let attempt = 1; ; attempt++) {
    const response = await (target.send ?? fetch)(`${target.baseUrl}/v1/scores/${target.matchId}/event`, {
      method: "POST",
      headers: { "content-type": "application/json", ...signFeed(target.feedSecret, target.nowMs(), body) },
      body,
    });
    const answer = await response.text();
    if (response.ok) return;
    const mayPass = response.status === 503 || response.status === 429 || response.status === 409;
    if (!mayPass || attempt === RETRIES_MAX) {
      throw new Error(`event ${event.id} was refused with ${response.status}: ${answer}`);
    }
    await Bun.sleep(RETRY_MS);
  }
}

/** How long a provider waits between two balls at `speed` times real time; T20 takes about 32 s a ball. */
export const ballPauseMs = (speed: number): number => 32_000 / speed;
