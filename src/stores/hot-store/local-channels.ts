import type { HotStore } from "./port.ts";

type OnMessage = (message: Uint8Array) => void;

interface Channel {
  readonly listeners: Set<OnMessage>;
  /** Answers how to leave the primary's channel; null while it is not subscribed there. */
  attached: Promise<() => Promise<void>> | null;
}

/** Who listens on this node, whether or not the primary store could be told. */
export class LocalChannels {
  readonly #channels = new Map<string, Channel>();
  readonly #primary: Pick<HotStore, "subscribe">;

  constructor(primary: Pick<HotStore, "subscribe">) {
    this.#primary = primary;
  }

  get hasDetached(): boolean {
    return this.#channels.values().some(({ attached }) => attached === null);
  }

  add(name: string, onMessage: OnMessage): () => Promise<void> {
    let channel = this.#channels.get(name);
    if (channel === undefined) this.#channels.set(name, (channel = { listeners: new Set(), attached: null }));
    const { listeners } = channel;
    // The same function may listen twice.
    const listener: OnMessage = (message) => onMessage(message);
    listeners.add(listener);
    return async () => {
      if (!listeners.delete(listener) || listeners.size > 0 || this.#channels.get(name) !== channel) return;
      this.#channels.delete(name);
      const leave = await channel.attached?.catch(() => null);
      await leave?.();
    };
  }

  deliver(name: string, message: Uint8Array): void {
    for (const listener of this.#channels.get(name)?.listeners ?? []) listener(message.slice());
  }

  /** Once, whoever asks; rejects if the primary can't be told, and may be asked again then. */
  async attach(name: string): Promise<void> {
    const channel = this.#channels.get(name);
    if (channel === undefined) return;
    const attaching = (channel.attached ??= this.#primary.subscribe(name, (message) => {
      for (const listener of channel.listeners) listener(message.slice());
    }));
    try {
      await attaching;
    } catch (error) {
      if (channel.attached === attaching) channel.attached = null;
      throw error;
    }
  }

  async attachAll(): Promise<void> {
    for (const name of this.#channels.keys()) await this.attach(name);
  }

  clear(): void {
    this.#channels.clear();
  }
}
