import type { Metrics } from "../metrics.ts";
import type { Route } from "./route.ts";

/** What is answered without a route: the web app, and paths that nobody knows. */
const NO_ROUTE = { method: "GET", path: "other" } as const;

type Answered = Pick<Route, "method" | "path">;

/** Counts what the edge answers, and how long the calls take that have promised to be quick. Over HTTP and the socket alike. */
export class RequestTimes {
  readonly #requests;
  readonly #counters = new Map<Answered, Map<number, { add(): void }>>();
  readonly #timed: ReadonlyMap<string, { observe(seconds: number): void }>;

  /** `timed`: by method and path, who is told the seconds. */
  constructor(metrics: Metrics, timed: Readonly<Record<string, { observe(seconds: number): void }>>) {
    this.#requests = metrics.counter(
      "powerplay_requests_total",
      "Calls answered over HTTP and the socket, by route and status.",
    );
    this.#timed = new Map(Object.entries(timed));
  }

  answered(route: Answered, status: number, ms: number): void {
    this.#counterOf(route, status).add();
    // A refusal costs less than what was promised about those that are done.
    if (status < 300) this.#timed.get(`${route.method} ${route.path}`)?.observe(ms / 1_000);
  }

  unrouted(status: number): void {
    this.#counterOf(NO_ROUTE, status).add();
  }

  #counterOf(route: Answered, status: number): { add(): void } {
    let byStatus = this.#counters.get(route);
    if (byStatus === undefined) this.#counters.set(route, (byStatus = new Map()));
    let counter = byStatus.get(status);
    if (counter === undefined) {
      const labels = { method: route.method, route: route.path, status: String(status) };
      byStatus.set(status, (counter = this.#requests.of(labels)));
    }
    return counter;
  }
}
