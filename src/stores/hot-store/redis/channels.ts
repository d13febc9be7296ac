import type { CallsUnderWay } from "./calls.ts";

/** The connection that hears messages. */
export interface ChannelSource {
  readonly isReady: () => boolean;
  subscribe(channel: string): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  onMessage(hear: (channel: string, message: Uint8Array) => void): void;
  /** Called whenever a connection is there that knows of no channel. */
  onFresh(again: () => void): void;
}

type OnMessage = (message: Uint8Array) => void;

interface Channel {
  readonly listeners: Set<OnMessage>;
  readonly subscribed: Promise<unknown>;
}

/** One subscription a channel, whatever the number of its listeners here. It outlives the connection, messages do not. */
export class Channels {
  readonly #channels = new Map<string, Channel>();
  readonly #source: ChannelSource;
  readonly #calls: CallsUnderWay;

  constructor(source: ChannelSource, calls: CallsUnderWay) {
    this.#source = source;
    this.#calls = calls;
    source.onMessage((name, message) => {
      for (const onMessage of this.#channels.get(name)?.listeners ?? []) onMessage(message.slice());
    });
    source.onFresh(() => {
      for (const name of this.#channels.keys()) this.#try(() => source.subscribe(name));
    });
  }

  async subscribe(name: string, onMessage: OnMessage): Promise<() => Promise<void>> {
    let channel = this.#channels.get(name);
    if (channel === undefined) {
      const subscribed = this.#calls.run(() => this.#source.subscribe(name));
      this.#channels.set(name, (channel = { listeners: new Set(), subscribed }));
    }
    const { listeners, subscribed } = channel;
    // The same function may listen twice.
    const listener: OnMessage = (message) => onMessage(message);
    listeners.add(listener);
    const leave = () => {
      if (!listeners.delete(listener) || listeners.size > 0 || this.#channels.get(name)?.listeners !== listeners)
        return;
      this.#channels.delete(name);
      this.#try(() => this.#source.unsubscribe(name));
    };
    try {
      await subscribed;
    } catch (error) {
      leave();
      throw error;
    }
    return async () => leave();
  }

  clear(): void {
    this.#channels.clear();
  }

  /** What fails with the connection is made good on the next one: unsubscribed by being new, subscribed by `onFresh`. */
  #try(call: () => Promise<unknown>): void {
    if (this.#source.isReady()) this.#calls.run(call).catch(() => undefined);
  }
}
