/** Time as the pipeline sees it, so that tests can turn it by hand. */
export interface Clock {
  /** Milliseconds of a clock that only goes forward; its zero means nothing. */
  now(): number;
  /** Waits; resolves early and without an error when `signal` aborts. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's clock. */
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
 * Waits for `work`, but for no longer than `milliseconds`. Work that is late goes on unwatched: what it
 * fails with then is nobody's concern.
 *
 * @returns whether the work was done in time
 * @throws what `work` fails with in time
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
