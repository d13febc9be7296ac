import type { ClientIn } from "../edge/socket/generated/powerplay/wire/client-in.ts";
import type { Call } from "../edge/socket/generated/wire_generated.ts";
import type { Refusal } from "./answer.ts";

/**
 * A stream as its follower sees it. A view is immutable and replaced as a whole, so that a UI can compare by identity.
 * Iterating gives the latest view whenever there is a new one; views in between are skipped.
 */
export interface Follow<View> extends AsyncIterable<View> {
  /** null until the node has answered for the first time. */
  readonly view: View | null;
  /** Why there is no view; null when there is, or when it is not known yet. */
  readonly refusal: Refusal | null;
  onChange(listener: (view: View) => void): () => void;
  onRefusal(listener: (refusal: Refusal) => void): () => void;
  stop(): void;
}

/** Where a stream has come to: what the node needs to go on from there. */
export interface StreamPosition {
  readonly epoch: number;
  readonly offset: number;
}

export abstract class Stream<View> {
  abstract readonly id: number;
  abstract readonly followCall: Call;
  abstract readonly unfollowCall: Call;
  readonly #listeners = new Set<() => void>();
  #view: View | null = null;
  #refusal: Refusal | null = null;
  #followerCount = 0;

  abstract get position(): StreamPosition;
  /** The answer to the follow call. */
  abstract answered(frame: ClientIn): void;

  get view(): View | null {
    return this.#view;
  }

  get refusal(): Refusal | null {
    return this.#refusal;
  }

  get isFollowed(): boolean {
    return this.#followerCount > 0;
  }

  refused(refusal: Refusal): void {
    this.#refusal = refusal;
    this.#tell();
  }

  /** `onLast` is called when the last of all followers stops. */
  follow(onLast: () => void): Follow<View> {
    this.#followerCount++;
    return new Follower(this, () => {
      if (--this.#followerCount === 0) onLast();
    });
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  protected show(view: View): void {
    this.#view = view;
    this.#refusal = null;
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

class Follower<View> implements Follow<View> {
  readonly #stream: Stream<View>;
  readonly #onStop: () => void;
  readonly #ignore = new Set<() => void>();
  #stopped = false;
  #wake: (() => void) | null = null;

  constructor(stream: Stream<View>, onStop: () => void) {
    this.#stream = stream;
    this.#onStop = onStop;
  }

  get view(): View | null {
    return this.#stream.view;
  }

  get refusal(): Refusal | null {
    return this.#stream.refusal;
  }

  onChange(listener: (view: View) => void): () => void {
    return this.#listen(() => {
      if (this.view !== null) listener(this.view);
    });
  }

  onRefusal(listener: (refusal: Refusal) => void): () => void {
    return this.#listen(() => {
      if (this.refusal !== null) listener(this.refusal);
    });
  }

  #listen(listener: () => void): () => void {
    const ignore = this.#stream.listen(listener);
    this.#ignore.add(ignore);
    return ignore;
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const ignore of this.#ignore) ignore();
    this.#wake?.();
    this.#onStop();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<View> {
    let seen: View | null = null;
    while (!this.#stopped) {
      const { view } = this;
      if (view !== null && view !== seen) {
        seen = view;
        yield view;
        continue;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const ignore = this.#stream.listen(resolve);
      await promise;
      ignore();
    }
  }
}
