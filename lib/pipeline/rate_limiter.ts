import { type Clock, systemClock } from "../base/clock.ts";

/**
 * Limits the rate of receiving. It is a token bucket with the tokens of one second, so any n seconds
 * allow at most the messages of n + 1 seconds. A rate of 0 means no limit.
 */
export class RateLimiter {
  readonly #perSecond: number;
  readonly #clock: Clock;
  #tokens: number;
  #filledAt: number;

  /** @throws {RangeError} the rate is negative or not finite */
  constructor(perSecond: number, clock: Clock = systemClock) {
    if (!(perSecond >= 0 && Number.isFinite(perSecond))) {
      throw new RangeError(`Rate: expected 0 or a positive number, got ${perSecond}`);
    }
    this.#perSecond = perSecond;
    this.#clock = clock;
    this.#tokens = perSecond;
    this.#filledAt = clock.now();
  }

  /**
   * Waits until `count` messages may be received, or `signal` aborts. The caller refunds unused tokens.
   */
  async take(count: number, signal: AbortSignal): Promise<void> {
    if (this.#perSecond === 0) return;
    // The bucket may go below zero, and the wait restores it. Waiters are thus served in order, and a
    // rate below ten per second still allows an occasional receive of ten.
    this.#fill();
    this.#tokens -= count;
    if (this.#tokens < 0) {
      await this.#clock.sleep(-this.#tokens / this.#perSecond * 1000, signal);
    }
  }

  /** Returns unused tokens to the bucket. */
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
