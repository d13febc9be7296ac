import type { FeedEvent } from "../feed.ts";

const OVERS_MAX = 501;
const BALLS_MAX = 101;

/** Where an event stands in the match, whenever it arrived: line-ups first, a substitution before its delivery, the end last. */
function place(event: FeedEvent): number {
  switch (event.type) {
    case "lineup":
      return 0;
    case "penaltyRuns":
      return event.innings * OVERS_MAX * BALLS_MAX * 2;
    case "substitution":
      return ((event.innings * OVERS_MAX + event.over) * BALLS_MAX + event.ballInOver) * 2;
    case "ball":
      return ((event.innings * OVERS_MAX + event.over) * BALLS_MAX + event.ballInOver) * 2 + 1;
    case "matchEnd":
    case "void":
      return Infinity;
  }
}

/** A total order: events at the same place are told apart by their ids. */
export function inBallOrder(events: Iterable<FeedEvent>): FeedEvent[] {
  return Array.from(events, (event) => ({ event, place: place(event) }))
    .sort((a, b) => (a.place === b.place ? (a.event.id < b.event.id ? -1 : 1) : a.place < b.place ? -1 : 1))
    .map(({ event }) => event);
}
