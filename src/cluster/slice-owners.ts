import type { Clock } from "../domain/clock.ts";
import { type EventLog, forEachRecord, type LogBatch } from "../stores/event-log/port.ts";
import { Consumer, type ConsumerOptions } from "../stream/consumer.ts";
import type { SliceChange, Slices } from "./slices.ts";

/** Value of the topic `slice-owners`, as JSON. */
export interface SliceNote {
  readonly slice: number;
  readonly nodeId: string;
  /** Where other nodes reach the owner (cluster/peers.ts). */
  readonly url: string;
  readonly atMs: number;
}

export type SliceOwner = Pick<SliceNote, "nodeId" | "url">;

export interface SliceOwnersOptions {
  readonly log: EventLog;
  readonly slices: Slices;
  readonly self: SliceOwner;
  readonly clock: Clock;
  /** A slice is announced again when nobody did so long, before its note leaves the log by age. */
  readonly announceEveryMs: number;
  /** How often a node looks whether what it has is known to be its own. */
  readonly checkEveryMs: number;
  /** How far back a node that starts reads; more than all slices are announced in `announceEveryMs`. */
  readonly recordsMax: number;
  readonly consumer: Pick<ConsumerOptions, "bytesMax" | "waitMs" | "retryMs" | "onTrouble" | "pause">;
}

/**
 * Who has which slice, and where it is reached. The log tells each node only what it has itself; so each says so in a topic
 * that all follow, and of a slice the latest note counts. A note may come late, behind one of the next owner, or never:
 * whoever has a slice and finds another's note as the latest says it again with the next check. Two nodes that both
 * think they have it (one is cut off from its group) then alternate, once a check, until the group has parted them.
 */
export class SliceOwners {
  readonly #options: SliceOwnersOptions;
  readonly #latest = new Map<number, SliceNote>();
  readonly #listeners = new Set<(slice: number) => void>();
  readonly #consumer: Consumer;
  readonly #checking: Timer;
  readonly #stopListening: () => void;
  /** By slice: while the log is away, notes do not pile up. */
  readonly #announcing = new Map<number, Promise<void>>();

  constructor(options: SliceOwnersOptions) {
    this.#options = options;
    const { log, slices, consumer, recordsMax, checkEveryMs } = options;
    this.#consumer = new Consumer({
      ...consumer,
      log,
      topic: "slice-owners",
      partition: 0,
      position: async () => Math.max(0, (await log.endOffset("slice-owners", 0)) - recordsMax),
      handle: async (batch) => this.#take(batch),
    });
    this.#stopListening = slices.onChange(({ gained }: SliceChange) => this.#announce(gained));
    this.#announce([...slices.owned]);
    this.#checking = setInterval(() => this.check(), checkEveryMs);
  }

  /** null: nobody has said yet that it has the slice. The owner may be one that is gone, until the next one speaks. */
  ownerOf(slice: number): SliceOwner | null {
    const note = this.#latest.get(slice);
    return note === undefined ? null : { nodeId: note.nodeId, url: note.url };
  }

  /** `listener` hears of each slice that has another owner than before, or is reached elsewhere. Answers how to stop listening. */
  onChange(listener: (slice: number) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Announces what this node has and is not known to have, or was announced long ago. */
  check(): void {
    const { slices, self, clock, announceEveryMs } = this.#options;
    const unknown = [...slices.owned].filter((slice) => {
      const note = this.#latest.get(slice);
      return note === undefined || !isOf(note, self) || clock.nowMs() - note.atMs >= announceEveryMs;
    });
    this.#announce(unknown);
  }

  /** Resolves when every note that the log holds now is known here. */
  settled(): Promise<void> {
    return this.#consumer.caughtUp();
  }

  async stop(): Promise<void> {
    clearInterval(this.#checking);
    this.#stopListening();
    await Promise.all([...this.#announcing.values(), this.#consumer.stop()]);
  }

  /** A note that does not reach the log is told, and said again by the next check. */
  #announce(announced: readonly number[]): void {
    const { log, self, clock, consumer } = this.#options;
    for (const slice of announced) {
      if (this.#announcing.has(slice)) continue;
      const note: SliceNote = { slice, ...self, atMs: clock.nowMs() };
      const announcing = log
        .append("slice-owners", slice, encoder.encode(JSON.stringify(note)))
        .then(() => undefined, consumer.onTrouble)
        .finally(() => this.#announcing.delete(slice));
      this.#announcing.set(slice, announcing);
    }
  }

  #take(batch: LogBatch): void {
    const changed = new Set<number>();
    forEachRecord(batch, (value) => {
      const note = JSON.parse(decoder.decode(value)) as SliceNote;
      const before = this.#latest.get(note.slice);
      this.#latest.set(note.slice, note);
      if (before === undefined || !isOf(before, note)) changed.add(note.slice);
    });
    for (const slice of changed) {
      for (const listener of this.#listeners) {
        try {
          listener(slice);
        } catch (error) {
          this.#options.consumer.onTrouble(error);
        }
      }
    }
  }
}

const isOf = (note: SliceOwner, { nodeId, url }: SliceOwner): boolean => note.nodeId === nodeId && note.url === url;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
