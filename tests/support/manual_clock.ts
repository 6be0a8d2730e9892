import { setImmediate } from "node:timers";
import type { Clock } from "../../lib/base/clock.ts";

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** Time that passes only when a test says so. */
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
      // Those who wake at the same time wake in the order in which they fell asleep.
      const index = this.#sleepers.findIndex(({ at }) => at > sleeper.at);
      this.#sleepers.splice(index < 0 ? this.#sleepers.length : index, 0, sleeper);
    });
  }

  /** How many sleep now: timers that are left running. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  /** When the next one wakes, from now, in milliseconds; undefined while nobody sleeps. */
  get untilNext(): number | undefined {
    const [next] = this.#sleepers;
    return next && next.at - this.#now;
  }

  /** Lets time pass; everybody whose time comes wakes, one after the other, and does what it can. */
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

  /** Lets time pass until something is so. @throws {RangeError} it is not so after `limit` milliseconds */
  async until(done: () => boolean, limit = 3_600_000): Promise<void> {
    const end = this.#now + limit;
    await settle();
    while (!done()) {
      const wait = this.untilNext;
      if (wait === undefined) throw new RangeError("Nobody sleeps, so nothing can change any more");
      if (this.#now + wait > end) throw new RangeError(`Still not so after ${limit} ms`);
      await this.advance(wait);
    }
  }
}

/** Waits until everything that can go on without time passing has gone on. */
export function settle(): Promise<void> {
  // A turn of the event loop begins only when no microtask is left.
  return new Promise((resolve) => setImmediate(resolve));
}
