import type { KafkaLibrary } from "./library.ts";

/**
 * How librdkafka's threads wake the event loop: they write a byte into a socket of which the loop reads the other end. No
 * foreign thread runs our code, and nobody polls. A queue writes once until it is looked at again.
 */
export class Wake {
  /** Where queues write. */
  readonly fd: number;
  readonly #library: KafkaLibrary;
  readonly #listeners = new Set<() => void>();
  #socket: { end(): void } | undefined;

  private constructor(library: KafkaLibrary, fd: number) {
    this.#library = library;
    this.fd = fd;
  }

  static async open(library: KafkaLibrary): Promise<Wake> {
    const fds = new Int32Array(2);
    if (library.pp_wake_open(fds) !== 0) throw new Error("no sockets are left for the wake-up of Kafka's event loop");
    const wake = new Wake(library, fds[1]!);
    const socket = { data: () => wake.look() };
    // Bun adopts a connected socket by `fd`, which its types leave out.
    wake.#socket = await Bun.connect({ fd: fds[0]!, socket } as unknown as Bun.UnixSocketOptions<undefined>);
    return wake;
  }

  /** Answers how to stop listening. */
  on(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Has every listener look at its queues. */
  look(): void {
    for (const listener of this.#listeners) listener();
  }

  /** After all clients have closed, for they write here. */
  close(): void {
    this.#socket?.end();
    this.#library.pp_wake_close(this.fd);
  }
}
