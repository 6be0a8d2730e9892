import { type Clock, systemClock } from "../base/clock.ts";

/** Options of {@linkcode Batcher}. */
export interface BatcherOptions {
  /** A batch is ready when it has this many items; it never has more. */
  readonly rows: number;
  /** …or when its items weigh this much together. */
  readonly weight: number;
  /** …or when its oldest item has waited for this long. */
  readonly milliseconds: number;
  readonly clock?: Clock;
}

interface Entry<T> {
  readonly item: T;
  readonly weight: number;
  readonly at: number;
}

/**
 * Collects items into batches. Committers pull: while all of them are busy items gather, and the next
 * batch is as full as it may be. How much gathers is bounded where items come in (see `holdings.ts`).
 */
export class Batcher<T> {
  readonly #options: BatcherOptions;
  readonly #clock: Clock;
  #entries: Entry<T>[] = [];
  #weight = 0;
  #waiting: ((items: T[]) => void)[] = [];
  readonly #closing = new AbortController();
  /** At most one timer runs, and none after closing: a pending one would keep the process alive. */
  #timed = false;

  constructor(options: BatcherOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Items that wait. */
  get size(): number {
    return this.#entries.length;
  }

  /** Adds an item. @throws {Error} the batcher is closed */
  add(item: T, weight = 0): void {
    if (this.#closing.signal.aborted) {
      throw new Error("The batcher is closed, nothing can be added");
    }
    this.#entries.push({ item, weight, at: this.#clock.now() });
    this.#weight += weight;
    this.#serve();
  }

  /** The next batch, once it is ready; empty when the batcher is closed and has nothing left. */
  next(): Promise<T[]> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#serve();
    });
  }

  /** Hands out what is left in full batches and one last partial one, without waiting for more. */
  close(): void {
    this.#closing.abort();
    this.#serve();
  }

  #serve(): void {
    const closed = this.#closing.signal.aborted;
    while (this.#waiting.length > 0 && (closed || this.#ready())) {
      this.#waiting.shift()?.(this.#take());
    }
    this.#wakeLater();
  }

  #ready(): boolean {
    const [oldest] = this.#entries;
    if (!oldest) return false;
    const { rows, weight, milliseconds } = this.#options;
    return this.#entries.length >= rows || this.#weight >= weight ||
      this.#clock.now() - oldest.at >= milliseconds;
  }

  #take(): T[] {
    const { rows, weight } = this.#options;
    let count = 0;
    let taken = 0;
    // At least one item is taken, however heavy, or nothing would ever move.
    for (const entry of this.#entries) {
      if (count >= rows || (count > 0 && taken + entry.weight > weight)) break;
      taken += entry.weight;
      count++;
    }
    this.#weight -= taken;
    return this.#entries.splice(0, count).map(({ item }) => item);
  }

  #wakeLater(): void {
    const [oldest] = this.#entries;
    if (this.#timed || !oldest || this.#waiting.length === 0) return;
    // Where this item has gone by then, the timer is early for the next one and is set once more.
    const wait = oldest.at + this.#options.milliseconds - this.#clock.now();
    this.#timed = true;
    void this.#clock.sleep(Math.max(1, Math.ceil(wait)), this.#closing.signal).then(() => {
      this.#timed = false;
      this.#serve();
    });
  }
}
