import type { Clock } from "./clock.ts";

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
