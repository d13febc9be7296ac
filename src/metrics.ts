export type Labels = Readonly<Record<string, string>>;

/** Labels, and the number that stands for them now. */
export type Reading = readonly [labels: Labels, value: number];

export interface Counter {
  add(labels?: Labels, amount?: number): void;
  /** The counter of one set of labels, for those who count often: the labels are written once. */
  of(labels: Labels): { add(amount?: number): void };
}

export interface Gauge {
  set(value: number, labels?: Labels): void;
}

export interface Histogram {
  observe(value: number, labels?: Labels): void;
  of(labels: Labels): { observe(value: number): void };
}

type Type = "counter" | "gauge" | "histogram";

interface Metric {
  readonly type: Type;
  readonly help: string;
  /** The lines of the metric's samples. */
  readonly samples: () => Iterable<string>;
  /** Brings the samples up to date, where somebody must be asked. */
  readonly refresh?: () => Promise<void>;
  /** What was given to whoever asked for it first. */
  readonly handle: Counter | Gauge | Histogram | null;
}

/** A store that is away must not keep the numbers of everything else from whoever asks. */
const REFRESH_MS_MAX = 2_000;

/** The numbers of one node in Prometheus's text format (version 0.0.4). Durations are seconds, as Prometheus wants them. */
export class Metrics {
  readonly #metrics = new Map<string, Metric>();
  readonly #failed: Counter;
  readonly #refreshMsMax: number;

  constructor({ refreshMsMax = REFRESH_MS_MAX } = {}) {
    this.#refreshMsMax = refreshMsMax;
    this.#failed = this.counter(
      "powerplay_scrape_failures_total",
      "Numbers that could not be had when asked for, by metric.",
    );
  }

  counter(name: string, help: string): Counter {
    return this.#metric(name, "counter", () => {
      const cells = new Cells(() => ({ value: 0 }));
      const handle: Counter = {
        add(labels = {}, amount = 1) {
          cells.of(labels).value += amount;
        },
        of(labels) {
          const cell = cells.of(labels);
          return { add: (amount = 1) => void (cell.value += amount) };
        },
      };
      return { help, handle, samples: () => cells.map((labels, { value }) => [`${name}${labels} ${value}`]) };
    }) as Counter;
  }

  gauge(name: string, help: string): Gauge {
    return this.#metric(name, "gauge", () => {
      const cells = new Cells(() => ({ value: 0 }));
      const handle: Gauge = { set: (value, labels = {}) => void (cells.of(labels).value = value) };
      return { help, handle, samples: () => cells.map((labels, { value }) => [`${name}${labels} ${value}`]) };
    }) as Gauge;
  }

  /** A gauge that is asked when somebody looks. One that throws, or takes too long, is left out of that look. */
  gaugeRead(name: string, help: string, read: () => number | Iterable<Reading> | Promise<Iterable<Reading>>): void {
    let readings: Iterable<Reading> = [];
    this.#metric(name, "gauge", () => ({
      help,
      handle: null,
      *samples() {
        for (const [labels, value] of readings) yield `${name}${written(labels)} ${value}`;
      },
      async refresh() {
        readings = [];
        const answer = await read();
        readings = typeof answer === "number" ? [[{}, answer]] : answer;
      },
    }));
  }

  /** `bounds`: the upper ends of the buckets, ascending; what is above the last is counted too. */
  histogram(name: string, help: string, bounds: readonly number[]): Histogram {
    return this.#metric(name, "histogram", () => {
      const cells = new Cells(() => ({ counts: new Float64Array(bounds.length + 1), sum: 0 }));
      const observe = (cell: { counts: Float64Array; sum: number }, value: number) => {
        let bucket = 0;
        while (bucket < bounds.length && value > bounds[bucket]!) bucket++;
        cell.counts[bucket]!++;
        cell.sum += value;
      };
      const handle: Histogram = {
        observe: (value, labels = {}) => observe(cells.of(labels), value),
        of(labels) {
          const cell = cells.of(labels);
          return { observe: (value) => observe(cell, value) };
        },
      };
      const samples = () =>
        cells.map((labels, { counts, sum }) => {
          let count = 0;
          const buckets = [...bounds, "+Inf"].map((bound, index) => {
            count += counts[index]!;
            const le = `le="${bound}"`;
            return `${name}_bucket${labels === "" ? `{${le}}` : `${labels.slice(0, -1)},${le}}`} ${count}`;
          });
          return [...buckets, `${name}_sum${labels} ${sum}`, `${name}_count${labels} ${count}`];
        });
      return { help, handle, samples };
    }) as Histogram;
  }

  /** Asks everybody who must be asked, then writes. */
  async scrape(): Promise<string> {
    await Promise.all(
      Array.from(this.#metrics, async ([metric, { refresh }]) => {
        if (refresh === undefined) return;
        const late = Promise.withResolvers<never>();
        const timer = setTimeout(() => late.reject(new Error("late")), this.#refreshMsMax);
        try {
          await Promise.race([refresh(), late.promise]);
        } catch {
          this.#failed.add({ metric });
        } finally {
          clearTimeout(timer);
        }
      }),
    );
    return this.text();
  }

  /** As it was when somebody last asked. */
  text(): string {
    const lines: string[] = [];
    for (const [name, { type, help, samples }] of this.#metrics) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples());
    }
    return `${lines.join("\n")}\n`;
  }

  /** One metric a name, whoever asks for it. */
  #metric(name: string, type: Type, make: () => Omit<Metric, "type">): Metric["handle"] {
    let metric = this.#metrics.get(name);
    if (metric === undefined) this.#metrics.set(name, (metric = { ...make(), type }));
    if (metric.type !== type) throw new Error(`${name} is a ${metric.type} already`);
    return metric.handle;
  }
}

/** What a metric holds for each set of labels, by the labels as they are written. */
class Cells<Cell> {
  readonly #cells = new Map<string, Cell>();
  readonly #empty: () => Cell;

  constructor(empty: () => Cell) {
    this.#empty = empty;
  }

  of(labels: Labels): Cell {
    const key = written(labels);
    let cell = this.#cells.get(key);
    if (cell === undefined) this.#cells.set(key, (cell = this.#empty()));
    return cell;
  }

  *map(lines: (labels: string, cell: Cell) => readonly string[]): Generator<string> {
    for (const [labels, cell] of this.#cells) yield* lines(labels, cell);
  }
}

function written(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
