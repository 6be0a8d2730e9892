import { type Clock, systemClock } from "../base/clock.ts";

/** Options of {@linkcode Batcher}. */
export interface BatcherOptions {
  /** A batch is ready when it has this many items; it never has more. */
  readonly rows: number;
  /** A batch is also ready when its items have this total weight. */
  readonly weight: number;
  /** A batch is also ready when its oldest item has waited this long. */
  readonly milliseconds: number;
  readonly clock?: Clock;
}

interface Entry<T> {
  readonly item: T;
  readonly weight: number;
  readonly at: number;
}

/**
 * Collects items into batches. Committers pull: while all of them are busy, items accumulate and the
 * next batch is fuller. `in_flight.ts` limits how many items can accumulate.
 */
export class Batcher<T> {
  readonly #options: BatcherOptions;
  readonly #clock: Clock;
  #entries: Entry<T>[] = [];
  #weight = 0;
  #waiting: ((items: T[]) => void)[] = [];
  readonly #closing = new AbortController();
  /** Whether the timer runs. None runs after closing: a pending timer would keep the process alive. */
  #timed = false;

  constructor(options: BatcherOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Returns the number of waiting items. */
  get size(): number {
    return this.#entries.length;
  }

  /** Adds an item. @throws {Error} the batcher is closed */
  add(item: T, weight = 0): void {
    if (this.#closing.signal.aborted) {
      throw new Error("Cannot add an item: the batcher is closed");
    }
    this.#entries.push({ item, weight, at: this.#clock.now() });
    this.#weight += weight;
    this.#serve();
  }

  /**
   * Returns the next batch when it is ready. The batch is empty when the batcher is closed and has no
   * items left.
   */
  next(): Promise<T[]> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#serve();
    });
  }

  /** Hands out the remaining items without waiting for more: full batches and one last partial batch. */
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
    // Takes at least one item, however heavy. Otherwise one heavy item would block the batcher.
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
    // If a batch takes this item earlier, the timer fires too early for the next one and is set again.
    const wait = oldest.at + this.#options.milliseconds - this.#clock.now();
    this.#timed = true;
    void this.#clock.sleep(Math.max(1, Math.ceil(wait)), this.#closing.signal).then(() => {
      this.#timed = false;
      this.#serve();
    });
  }
}
