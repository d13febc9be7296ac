import type { Item } from "./item.ts";

/** First in, first out; a settlement puts a million in. */
export class ItemQueue {
  #items: Item[] = [];
  #at = 0;

  get length(): number {
    return this.#items.length - this.#at;
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  take(countMax: number): Item[] {
    const taken = this.#items.slice(this.#at, this.#at + countMax);
    this.#at += taken.length;
    // What was taken is let go when it is the larger half.
    if (this.#at * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#at);
      this.#at = 0;
    }
    return taken;
  }
}
