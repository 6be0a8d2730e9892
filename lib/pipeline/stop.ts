import { type Clock, systemClock, withTimeout } from "../base/clock.ts";
import { getLogger } from "../observe/log.ts";
import type { Receiver } from "./receiver.ts";

/** Options of {@linkcode stopInStages}. */
export interface StopOptions {
  /** Aborts to request a stop. */
  readonly signal: AbortSignal;
  readonly receiver: Pick<Receiver, "stop" | "abort">;
  /** Settles when receiving has ended, by itself or by a stop. */
  readonly receiving: Promise<void>;
  /** Rejects when the pipeline cannot continue. */
  readonly committing: Promise<void>;
  /** Whether the messages in flight can be finished. */
  readonly canFinish: () => boolean;
  /** Finishes the messages in flight. */
  readonly finish: () => Promise<void>;
  /** Returns how long the receives in progress may still take, in milliseconds. Called at the stop. */
  readonly grace: () => number;
  /** Time limit for both stages together. The last second is reserved for the release. */
  readonly seconds: number;
  readonly clock?: Clock;
}

const log = getLogger("stop");

/**
 * Waits for a reason to stop, then stops in two stages. The first stage ends receiving and finishes the
 * messages in flight. The second stage starts when the time is over: it returns, and the caller releases
 * the remaining messages.
 *
 * @returns the remaining time for the release, in milliseconds
 * @throws the error of `receiving` or `committing`
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
    if (signal.aborted) log.info("Stopping: no new receives, finishing the messages in flight");
    // An aborted receive can lose messages: the queue may answer the closed connection, and hides those
    // messages until their leases expire, even if they were just released.
    await withTimeout(Promise.allSettled([receiving]), Math.min(grace(), seconds * 750), clock);
    receiver.abort();
    await reason;
    await receiving;
    // Reserves the last second, or a fifth of a shorter time, for the release calls.
    const reserved = Math.min(1000, seconds * 200);
    if (canFinish()) await withTimeout(finish(), endsAt - reserved - clock.now(), clock);
    return Math.max(reserved, endsAt - clock.now());
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
    // Removes the listener, because a signal may outlive many runs.
    over.addEventListener("abort", () => signal.removeEventListener("abort", done), { once: true });
  });
}
