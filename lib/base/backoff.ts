/** Options of {@linkcode backoff}. */
export interface BackoffOptions {
  /** Upper bound of the first delay, in milliseconds. Default 100. */
  readonly base?: number;
  /** Upper bound of every delay, in milliseconds. Default 30,000. */
  readonly cap?: number;
  /** Numbers from 0 to 1. Default `Math.random`. */
  readonly random?: () => number;
}

/**
 * Computes the delay before a retry in milliseconds; `attempt` 1 is the first retry. The delay is
 * exponential and capped, with full jitter, so that workers that failed together do not retry together
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 *
 * @throws {RangeError} `attempt` is not a whole number from 1
 *
 * @example
 * ```ts
 * import { strictEqual } from "node:assert";
 *
 * strictEqual(backoff(3, { random: () => 1 }), 400);
 * strictEqual(backoff(50, { random: () => 1 }), 30_000);
 * ```
 */
export function backoff(attempt: number, options: BackoffOptions = {}): number {
  const { base = 100, cap = 30_000, random = Math.random } = options;
  if (!Number.isInteger(attempt) || attempt < 1) {
    throw new RangeError(`Attempt: expected a whole number from 1, got ${attempt}`);
  }
  return random() * Math.min(cap, base * 2 ** Math.min(attempt - 1, 30));
}
