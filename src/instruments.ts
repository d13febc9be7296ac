import type { Gauge, Histogram, Metrics } from "./metrics.ts";

/** The promises (save 300 ms, score → screen 1.5 s) lie on bounds, so that how often they are kept is exact. */
const LATENCY_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 1.5, 2.5, 5, 10, 30];
const PASS_BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];
const LAG_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** What a node measures of itself, apart from what its parts count on their own. */
export class Instruments {
  readonly saveSeconds: Histogram;
  readonly joinSeconds: Histogram;
  readonly eventLoopLagSeconds: Histogram;
  /** Records that are acknowledged and not in the log yet, because it is away. */
  readonly spoolRecords: Gauge;
  readonly #ballToBoard;
  readonly #ballToPush;
  readonly #boardPasses;

  constructor(metrics: Metrics) {
    this.saveSeconds = metrics.histogram(
      "powerplay_save_seconds",
      "From a team save's arrival to its durable answer.",
      LATENCY_BOUNDS,
    );
    this.joinSeconds = metrics.histogram(
      "powerplay_join_seconds",
      "From a join's arrival to its answer.",
      LATENCY_BOUNDS,
    );
    const toBoard = "From the acceptance of a ball, on any node, to the ranks that it makes on this one.";
    this.#ballToBoard = metrics.histogram("powerplay_ball_to_board_seconds", toBoard, LATENCY_BOUNDS).of({});
    const toPush = "From the acceptance of a ball to the write of its push to the last follower here.";
    this.#ballToPush = metrics.histogram("powerplay_ball_to_push_seconds", toPush, LATENCY_BOUNDS).of({});
    const passes = "What one pass over the boards of a match took.";
    this.#boardPasses = metrics.histogram("powerplay_board_pass_seconds", passes, PASS_BOUNDS).of({});
    const lag = "How late the event loop comes to what is due.";
    this.eventLoopLagSeconds = metrics.histogram("powerplay_event_loop_lag_seconds", lag, LAG_BOUNDS);
    this.spoolRecords = metrics.gauge("powerplay_spool_records", "Acknowledged records that wait here for the log.");
    this.spoolRecords.set(0);
  }

  ballOnBoard(ms: number): void {
    this.#ballToBoard.observe(ms / 1_000);
  }

  ballPushed(ms: number): void {
    this.#ballToPush.observe(ms / 1_000);
  }

  boardPass(ms: number): void {
    this.#boardPasses.observe(ms / 1_000);
  }
}
