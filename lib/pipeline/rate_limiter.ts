import { type Clock, systemClock } from "../base/clock.ts";

/**
 * Keeps receiving at or below a rate. It is a token bucket that holds one second's worth, so any stretch
 * of n seconds brings at most n + 1 seconds' worth. A rate of 0 is no limit.
 */
export class RateLimiter {
  readonly #perSecond: number;
  readonly #clock: Clock;
  #tokens: number;
  #filledAt: number;

  /** @throws {RangeError} the rate is negative or not finite */
  constructor(perSecond: number, clock: Clock = systemClock) {
    if (!(perSecond >= 0 && Number.isFinite(perSecond))) {
      throw new RangeError(`Pace must be 0 or a positive number, got ${perSecond}`);
    }
    this.#perSecond = perSecond;
    this.#clock = clock;
    this.#tokens = perSecond;
    this.#filledAt = clock.now();
  }

  /** Waits until `count` messages may be received; early when aborted. Give back what did not come. */
  async take(count: number, signal: AbortSignal): Promise<void> {
    if (this.#perSecond === 0) return;
    // The bucket goes below zero and the wait pays it off, so that many waiters are served in order
    // and a rate below ten a second still lets a receive of ten through now and then.
    this.#fill();
    this.#tokens -= count;
    if (this.#tokens < 0) {
      await this.#clock.sleep(-this.#tokens / this.#perSecond * 1000, signal);
    }
  }

  /** Gives back what was taken and not used. */
  refund(count: number): void {
    this.#tokens += count;
  }

  #fill(): void {
    const now = this.#clock.now();
    const filled = this.#tokens + (now - this.#filledAt) / 1000 * this.#perSecond;
    this.#tokens = Math.min(this.#perSecond, filled);
    this.#filledAt = now;
  }
}
