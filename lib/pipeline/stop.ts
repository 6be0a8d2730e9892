import { type Clock, systemClock, withTimeout } from "../base/clock.ts";
import { getLogger } from "../observe/log.ts";
import type { Receiver } from "./receiver.ts";

/** Options of {@linkcode stopInStages}. */
export interface StopOptions {
  /** Aborts when it is time to stop. */
  readonly signal: AbortSignal;
  readonly receiver: Pick<Receiver, "stop" | "abort">;
  /** Ends when receiving has ended, by itself or by a stop. */
  readonly receiving: Promise<void>;
  /** Fails when going on makes no sense. */
  readonly committing: Promise<void>;
  /** Whether there is hope to finish at all. */
  readonly canFinish: () => boolean;
  /** Finishes what is held. */
  readonly finish: () => Promise<void>;
  /** How long receives under way may still take, in milliseconds; asked when it is time to stop. */
  readonly grace: () => number;
  /** The time for both stages together, the last second of which is kept for releasing. */
  readonly seconds: number;
  readonly clock?: Clock;
}

const log = getLogger("stop");

/**
 * Waits for a reason to stop, then stops in two stages: no new receives and finish what is held; then,
 * when the time is over, return all the same and let the caller release the rest.
 *
 * @returns the time that is left for releasing, in milliseconds
 * @throws what `receiving` or `committing` failed with
 */
export async function stopInStages(options: StopOptions): Promise<number> {
  const { signal, receiver, receiving, committing, canFinish, finish, grace, seconds } = options;
  const clock = options.clock ?? systemClock;
  const over = new AbortController();
  try {
    const reason = Promise.race([receiving, committing, aborted(signal, over.signal)]);
    await Promise.allSettled([reason]);
    const endsAt = clock.now() + seconds * 1000;
    receiver.stop();
    if (signal.aborted) log.info("Stopping: no new receives, finishing what is held");
    // One that is given up takes messages along: the queue may answer a peer that has gone, and what
    // it answered with is hidden until its lease is over, even if it had just been released.
    await withTimeout(Promise.allSettled([receiving]), Math.min(grace(), seconds * 750), clock);
    receiver.abort();
    await reason;
    await receiving;
    // The last second, or a fifth of a short time, is for telling the queue what is released.
    const kept = Math.min(1000, seconds * 200);
    if (canFinish()) await withTimeout(finish(), endsAt - kept - clock.now(), clock);
    return Math.max(kept, endsAt - clock.now());
  } finally {
    over.abort();
    receiver.abort();
    await Promise.allSettled([receiving]);
    committing.catch(() => {});
  }
}

function aborted(signal: AbortSignal, over: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => resolve();
    signal.addEventListener("abort", done, { once: true });
    // Lets go of the listener: a signal may outlive many runs.
    over.addEventListener("abort", () => signal.removeEventListener("abort", done), { once: true });
  });
}
