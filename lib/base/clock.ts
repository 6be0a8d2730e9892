/** The time source of the pipeline. Tests replace it by a manual clock. */
export interface Clock {
  /** Returns the milliseconds of a monotonic clock. Its origin is arbitrary. */
  now(): number;
  /** Waits. Resolves early and without an error when `signal` aborts. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** The system clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  sleep(milliseconds, signal) {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      signal?.addEventListener("abort", done, { once: true });
    });
  },
};

/**
 * Waits for `work` for at most `milliseconds`. Late work continues, and its error is ignored.
 *
 * @returns whether the work was done in time
 * @throws the error of `work`, if it fails in time
 */
export async function withTimeout(
  work: Promise<unknown>,
  milliseconds: number,
  clock: Clock,
): Promise<boolean> {
  const over = new AbortController();
  const late = clock.sleep(milliseconds, over.signal).then(() => false);
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    over.abort();
  }
}
