export type Fields = Readonly<Record<string, unknown>>;
export type LogFormat = "json" | "text";
type Level = "info" | "warn" | "error";

export interface LogOptions {
  /** json: one object a line, for collectors; text: for eyes. */
  readonly format: LogFormat;
  readonly write: (line: string) => void;
  readonly nowMs: () => number;
}

/**
 * What an operator should know. An event is one line: its time, level and message, and what belongs to it as fields. An error that
 * has `fields` of its own (a request's id) gives them to its event.
 */
export class Log {
  readonly #options: LogOptions;

  constructor(options: LogOptions) {
    this.#options = options;
  }

  info(message: string, fields: Fields = {}): void {
    this.#write("info", message, fields);
  }

  warn(message: string, fields: Fields = {}): void {
    this.#write("warn", message, fields);
  }

  error(error: unknown, fields: Fields = {}): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#write("error", message, { ...fieldsOf(error), ...fields }, error);
  }

  #write(level: Level, message: string, fields: Fields, error?: unknown): void {
    const { format, nowMs, write } = this.#options;
    const time = new Date(nowMs()).toISOString();
    if (format === "json") {
      const told = error instanceof Error ? { error: described(error) } : {};
      write(JSON.stringify({ ...fields, ...told, time, level, message }, withBigints));
    } else {
      const pairs = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value, withBigints)}`);
      write(`${time} ${level} ${message}${pairs.join("")}${error instanceof Error ? `\n${stacks(error)}` : ""}`);
    }
  }
}

/** By what the operator says, else by who reads: a person at a terminal, or a collector. */
export const logFormat = (given: LogFormat | undefined, isTerminal: boolean): LogFormat =>
  given ?? (isTerminal ? "text" : "json");

function fieldsOf(error: unknown): Fields {
  const { fields } = (error ?? {}) as { fields?: Fields };
  return fields ?? {};
}

interface Described {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly cause?: Described | string;
}

function described({ name, message, stack, cause }: Error): Described {
  const told = { name, message, stack };
  if (cause === undefined) return told;
  return { ...told, cause: cause instanceof Error ? described(cause) : String(cause) };
}

function stacks(error: Error): string {
  const own = error.stack ?? `${error.name}: ${error.message}`;
  if (error.cause === undefined) return own;
  return `${own}\ncaused by ${error.cause instanceof Error ? stacks(error.cause) : String(error.cause)}`;
}

const withBigints = (_key: string, value: unknown): unknown => (typeof value === "bigint" ? String(value) : value);
