import type { PowerplayClient } from "../client/index.ts";

/** How long a client that was connected was without a connection, each time. */
export class Absences {
  readonly ms: number[] = [];
  #goneMs: number | null = null;

  constructor(client: PowerplayClient) {
    let wasOpen = client.state === "open";
    client.onState((state) => {
      if (state === "open") {
        if (this.#goneMs !== null) this.ms.push(performance.now() - this.#goneMs);
        this.#goneMs = null;
        wasOpen = true;
      } else if (wasOpen) this.#goneMs ??= performance.now();
    });
  }

  get isOver(): boolean {
    return this.#goneMs === null;
  }
}
