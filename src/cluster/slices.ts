import type { UserId } from "../domain/ids.ts";
import { type EventLog, partitionOf, partitionsOf, TOPICS } from "../stores/event-log/port.ts";

/** Which slices came to this node and which left it, ascending. */
export interface SliceChange {
  readonly gained: readonly number[];
  readonly lost: readonly number[];
}

export interface SlicesOptions {
  readonly log: Pick<EventLog, "share">;
  /** Nodes of one group share the slices. */
  readonly group: string;
  /** What a listener threw; the others hear of the change all the same. */
  readonly onTrouble: (error: unknown) => void;
}

const PARTITION_COUNT = TOPICS["team-saves"].partitionCount;

/**
 * The users of the game, cut into slices, and those of them that this node has. Slice i of a cluster is partition i of
 * `team-saves` and of `contest-joins`, which are partitioned by user alike; a node that is alone has one slice of all users.
 *
 * Ownership divides work and is never needed for correctness: whatever an owner does is a pure function of the log, so for
 * moments a slice may be nobody's, or of two nodes.
 */
export class Slices {
  readonly count: number;
  readonly #listeners = new Set<(change: SliceChange) => void>();
  readonly #onTrouble: (error: unknown) => void;
  #owned: ReadonlySet<number>;
  #giveBack: () => Promise<void> = async () => undefined;
  #hasLeft = false;

  private constructor(count: number, owned: readonly number[], onTrouble: (error: unknown) => void) {
    this.count = count;
    this.#owned = new Set(owned);
    this.#onTrouble = onTrouble;
  }

  /** Of a node that is alone: one slice, which it has from the first moment to the last. */
  static single(): Slices {
    return new Slices(1, [0], () => undefined);
  }

  /** The slices come within seconds. Rejects with `StoreUnavailable`. */
  static async join({ log, group, onTrouble }: SlicesOptions): Promise<Slices> {
    const slices = new Slices(PARTITION_COUNT, [], onTrouble);
    slices.#giveBack = await log.share("team-saves", group, (partitions) => {
      if (!slices.#hasLeft) slices.#own(partitions);
    });
    return slices;
  }

  /** Never changes; each change makes another set. */
  get owned(): ReadonlySet<number> {
    return this.#owned;
  }

  sliceOf(user: UserId): number {
    return this.count === 1 ? 0 : partitionOf("team-saves", user);
  }

  /** Of `team-saves` and of `contest-joins`, ascending. */
  partitionsOf(slice: number): readonly number[] {
    return this.count === 1 ? partitionsOf("team-saves") : [slice];
  }

  /** `listener` hears of every change from now on, when `owned` says it already. Answers how to stop listening. */
  onChange(listener: (change: SliceChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Gives the slices to the other nodes; the work on them has been told to end by then. A node that is alone keeps its own. */
  async leave(): Promise<void> {
    this.#hasLeft = true;
    if (this.count > 1) this.#own([]);
    await this.#giveBack();
  }

  #own(slices: readonly number[]): void {
    const before = this.#owned;
    const owned = new Set(slices);
    const gained = [...owned].filter((slice) => !before.has(slice));
    const lost = [...before].filter((slice) => !owned.has(slice));
    if (gained.length === 0 && lost.length === 0) return;
    this.#owned = owned;
    for (const listener of this.#listeners) {
      try {
        listener({ gained, lost });
      } catch (error) {
        this.#onTrouble(error);
      }
    }
  }
}
