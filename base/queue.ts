/** A first-in first-out queue with a bound in items and in weight (bytes, usually). It refuses; what to drop is the caller's policy. */
export class BoundedQueue<T> {
  readonly maxItems: number;
  readonly maxWeight: number;
  readonly #weigh: (item: T) => number;
  #items: (T | undefined)[] = [];
  #head = 0;
  #weight = 0;

  constructor(bounds: { readonly maxItems: number; readonly maxWeight: number }, weigh: (item: T) => number) {
    this.maxItems = bounds.maxItems;
    this.maxWeight = bounds.maxWeight;
    this.#weigh = weigh;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  get weight(): number {
    return this.#weight;
  }

  /** False, and nothing is queued, when a bound would be passed. */
  push(item: T): boolean {
    const weight = this.#weigh(item);
    if (this.length >= this.maxItems || this.#weight + weight > this.maxWeight) return false;
    this.#items.push(item);
    this.#weight += weight;
    return true;
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const item = this.#items[this.#head] as T;
    // Or it stays in memory until the list is cut: with a second of video in each item, tens of megabytes a camera.
    this.#items[this.#head] = undefined;
    this.#head += 1;
    this.#weight -= this.#weigh(item);
    if (this.#head > 64 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
    this.#weight = 0;
  }
}
