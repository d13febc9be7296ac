export type Labels = Readonly<Record<string, string>>;

interface Metric {
  readonly type: "counter" | "gauge";
  readonly help: string;
  /** By labels as they are written. */
  readonly values: Map<string, number>;
}

export interface Counter {
  add(labels?: Labels, amount?: number): void;
}

export interface Gauge {
  set(value: number, labels?: Labels): void;
}

/** The numbers of one node, written in Prometheus's text format by whoever shows them. */
export class Metrics {
  readonly #metrics = new Map<string, Metric>();

  counter(name: string, help: string): Counter {
    const { values } = this.#metric(name, "counter", help);
    return {
      add(labels = {}, amount = 1) {
        const key = written(labels);
        values.set(key, (values.get(key) ?? 0) + amount);
      },
    };
  }

  gauge(name: string, help: string): Gauge {
    const { values } = this.#metric(name, "gauge", help);
    return { set: (value, labels = {}) => void values.set(written(labels), value) };
  }

  text(): string {
    const lines: string[] = [];
    for (const [name, { type, help, values }] of this.#metrics) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
      for (const [labels, value] of values) lines.push(`${name}${labels} ${value}`);
    }
    return `${lines.join("\n")}\n`;
  }

  /** One metric a name, whoever asks for it. */
  #metric(name: string, type: Metric["type"], help: string): Metric {
    const known = this.#metrics.get(name);
    if (known) return known;
    const metric: Metric = { type, help, values: new Map() };
    this.#metrics.set(name, metric);
    return metric;
  }
}

function written(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
