import { setImmediate } from "node:timers";
import type { Clock } from "../../lib/base/clock.ts";

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** A clock whose time passes only when a test advances it. */
export class ManualClock implements Clock {
  #now = 0;
  #sleepers: Sleeper[] = [];

  now(): number {
    return this.#now;
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      const sleeper = { at: this.#now + Math.max(0, milliseconds), wake };
      signal?.addEventListener("abort", wake, { once: true });
      // Sleepers with the same time wake in the order in which they began to sleep.
      const index = this.#sleepers.findIndex(({ at }) => at > sleeper.at);
      this.#sleepers.splice(index < 0 ? this.#sleepers.length : index, 0, sleeper);
    });
  }

  /** The number of sleepers now, which are timers left running. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  /** The milliseconds until the next sleeper wakes. Undefined while there is none. */
  get untilNext(): number | undefined {
    const [next] = this.#sleepers;
    return next && next.at - this.#now;
  }

  /** Lets time pass. Each sleeper whose time comes wakes, one after the other, and runs as far as it can. */
  async advance(milliseconds: number): Promise<void> {
    const until = this.#now + milliseconds;
    await settle();
    for (let [next] = this.#sleepers; next && next.at <= until; [next] = this.#sleepers) {
      this.#now = next.at;
      next.wake();
      await settle();
    }
    this.#now = until;
  }

  /** Lets time pass until `done` returns true. @throws {RangeError} it does not within `limit` milliseconds */
  async until(done: () => boolean, limit = 3_600_000): Promise<void> {
    const end = this.#now + limit;
    await settle();
    while (!done()) {
      const wait = this.untilNext;
      if (wait === undefined) {
        throw new RangeError(
          "Expected the condition to become true, but nothing sleeps that could change it",
        );
      }
      if (this.#now + wait > end) {
        throw new RangeError(`Expected the condition to become true within ${limit} ms`);
      }
      await this.advance(wait);
    }
  }
}

/** Waits until everything has run that can run without time passing. */
export function settle(): Promise<void> {
  // A turn of the event loop begins only when no microtask is left.
  return new Promise((resolve) => setImmediate(resolve));
}
