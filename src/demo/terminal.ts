/** Progress on a terminal: one region that is redrawn in place; on a pipe each region is printed now and then instead. */
export class Terminal {
  readonly #out: NodeJS.WriteStream;
  readonly #pipeEveryMs: number;
  #drawnLines = 0;
  #pipedAtMs = 0;

  constructor(out: NodeJS.WriteStream = process.stdout, pipeEveryMs = 5_000) {
    this.#out = out;
    this.#pipeEveryMs = pipeEveryMs;
  }

  /** A line that stays. */
  say(line = ""): void {
    this.#erase();
    this.#out.write(`${line}\n`);
  }

  /** Lines that the next call replaces. */
  draw(lines: readonly string[]): void {
    if (!this.#out.isTTY) {
      const nowMs = performance.now();
      if (this.#pipedAtMs !== 0 && nowMs - this.#pipedAtMs < this.#pipeEveryMs) return;
      this.#pipedAtMs = nowMs;
      this.#out.write(`${lines.join("\n")}\n`);
      return;
    }
    this.#erase();
    const columns = this.#out.columns || 80;
    this.#out.write(`${lines.map((line) => line.slice(0, columns - 1)).join("\n")}\n`);
    this.#drawnLines = lines.length;
  }

  #erase(): void {
    if (this.#drawnLines > 0) this.#out.write(`\u001b[${this.#drawnLines}A\u001b[0J`);
    this.#drawnLines = 0;
  }
}

const BAR_WIDTH = 32;

export function progressBar(done: number, total: number): string {
  const filled = total === 0 ? BAR_WIDTH : Math.round((done / total) * BAR_WIDTH);
  return `${"█".repeat(filled)}${"░".repeat(BAR_WIDTH - filled)} ${done}/${total}`;
}

/** Columns padded to their widest cell, flush left but for those named. */
export function table(rows: readonly (readonly string[])[], rightColumns: readonly number[]): string[] {
  const widths = rows.reduce<number[]>(
    (widest, row) => row.map((cell, column) => Math.max(widest[column] ?? 0, cell.length)),
    [],
  );
  return rows.map((row) =>
    row
      .map((cell, column) =>
        rightColumns.includes(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join("  ")
      .trimEnd(),
  );
}
