import { type Topic, TOPICS } from "../port.ts";
import { type ClientOptions, type KafkaClient, type OpenClient, topicName } from "./client.ts";
import { cString, EVENT, type Handle } from "./library.ts";
import type { Wake } from "./wake.ts";

export interface MembershipOptions {
  readonly openClient: OpenClient;
  readonly wake: Wake;
  readonly prefix: string;
  readonly topic: Topic;
  readonly onOwned: (partitions: readonly number[]) => void;
  readonly onTrouble: ClientOptions["onTrouble"];
  /** How often the group is told that our event loop runs; a good deal less than `max.poll.interval.ms`. */
  readonly pollMs: number;
}

const LEFT_POLL_MS = 5;
/** Of two processes under one name each puts the other out, so attempts that follow each other come later and later. */
const REJOIN_POLLS_MAX = 32;
/** What a rebalance is, as the library's glue says it. */
const ASSIGNED = 1;
const LOST = 2;

/**
 * One member of a consumer group, for the sake of ownership alone: it reads nothing. Its name in the group (`group.instance.id`)
 * is the node's, so that a node which restarts within the session's time finds its partitions as it left them and
 * nobody else moves; a node that dies loses them when the session ends; one that leaves gives them away at once.
 *
 * A member that lost touch with its group, because the cluster is away or it was silent itself, keeps what it has until the group
 * speaks to it again: nobody else may have got it, and what an owner has built it would build again.
 *
 * A member that is put out ("fenced"), because another process has its name or because a broker that stood still answers its
 * first and its second attempt to join as if they were two, joins again as a new one.
 */
export class Membership {
  readonly #options: MembershipOptions;
  #client: KafkaClient;
  readonly #owned = new Set<number>();
  #hasLostTouch = false;
  readonly #timer: Timer;
  #rejoinTimer: Timer | undefined;
  #rejoinPolls = 1;
  #joinedAtMs = 0;
  readonly #closing: Promise<void>[] = [];

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#client = this.#join();
    this.#timer = setInterval(() => this.#client.poll(), options.pollMs);
  }

  /**
   * A static member's partitions stay its own when it closes; when it ends its subscription they do not. Resolves when the
   * group was told, or can't be reached, in which case the session's end tells it.
   */
  async leave(): Promise<void> {
    clearTimeout(this.#rejoinTimer);
    const { handle, library } = this.#client;
    library.rd_kafka_unsubscribe(handle);
    const giveUpAtMs = performance.now() + this.#options.pollMs;
    // The member's name in the group is given back with the farewell.
    while (library.pp_has_left(handle) === 0 && performance.now() < giveUpAtMs) await Bun.sleep(LEFT_POLL_MS);
    await this.close();
  }

  /** Ends it as a crash would: the group learns of it from silence. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    clearTimeout(this.#rejoinTimer);
    await Promise.all([this.#client.close(), ...this.#closing]);
  }

  #join(): KafkaClient {
    const { onTrouble, openClient, prefix, topic } = this.#options;
    this.#joinedAtMs = performance.now();
    const client: KafkaClient = openClient(
      (type, event) => {
        if (type === EVENT.rebalance) this.#rebalance(client, event);
      },
      (trouble) => {
        onTrouble(trouble);
        if (trouble.isFatal) this.#rejoinLater();
      },
    );
    const { handle, library } = client;
    const code = library.pp_subscribe(handle, cString(topicName(prefix, topic)));
    if (code !== 0) {
      this.#closing.push(client.close());
      throw new Error(`the group can't be joined: ${String(library.rd_kafka_err2str(code))}`);
    }
    return client;
  }

  /** A client with a fatal error does nothing more. */
  #rejoinLater(): void {
    if (this.#rejoinTimer !== undefined) return;
    this.#hasLostTouch = true;
    const { pollMs } = this.#options;
    const stayedPolls = (performance.now() - this.#joinedAtMs) / pollMs;
    this.#rejoinPolls = stayedPolls > 2 * REJOIN_POLLS_MAX ? 1 : Math.min(2 * this.#rejoinPolls, REJOIN_POLLS_MAX);
    this.#rejoinTimer = setTimeout(() => {
      this.#rejoinTimer = undefined;
      this.#rejoin();
    }, this.#rejoinPolls * pollMs);
  }

  #rejoin(): void {
    const failed = this.#client;
    try {
      this.#client = this.#join();
    } catch (error) {
      // The machine has no more threads, say: the next attempt may have.
      this.#options.onTrouble({ code: 0, text: String(error), isFatal: false });
      this.#rejoinLater();
      return;
    }
    this.#closing.push(failed.close());
  }

  #rebalance(client: KafkaClient, event: Handle): void {
    const { partitionCount } = TOPICS[this.#options.topic];
    const partitions = new Int32Array(partitionCount);
    const count = new Uint32Array(1);
    const { handle, library } = client;
    const comes = library.pp_take_rebalance(handle, event, partitions, partitionCount, count);
    if (comes < 0) {
      this.#options.onTrouble({ code: comes, text: String(library.rd_kafka_err2str(comes)), isFatal: false });
      return;
    }
    if (comes === LOST) {
      this.#hasLostTouch = true;
      return;
    }
    if (comes === ASSIGNED && this.#hasLostTouch) {
      this.#hasLostTouch = false;
      this.#owned.clear();
    }
    for (const partition of partitions.subarray(0, count[0])) {
      if (comes === ASSIGNED) this.#owned.add(partition);
      else this.#owned.delete(partition);
    }
    this.#options.onOwned([...this.#owned].sort((a, b) => a - b));
  }
}
