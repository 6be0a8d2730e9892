import { getLogger } from "../observe/log.ts";
import { type Clock, systemClock } from "./clock.ts";
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
  readonly mayFinish: () => boolean;
  /** Finishes what is held. */
  readonly finish: () => Promise<void>;
  /** The time for both stages together, the last second of which is kept for releasing. */
  readonly seconds: number;
  readonly clock?: Clock;
}

/**
 * How long a receive that is under way may still take at a stop. One that found messages is answered
 * within this time; giving it up at once would hide those messages until their lease is over.
 */
const GRACE_MS = 250;

const log = getLogger("stop");

/**
 * Waits for a reason to stop, then stops in two stages: no new receives and finish what is held; then,
 * when the time is over, return all the same and let the caller release the rest.
 *
 * @throws what `receiving` or `committing` failed with
 */
export async function stopInStages(options: StopOptions): Promise<void> {
  const { signal, receiver, receiving, committing, mayFinish, finish, seconds } = options;
  const clock = options.clock ?? systemClock;
  const over = new AbortController();
  try {
    await Promise.race([receiving, committing, aborted(signal, over.signal)]);
    receiver.stop();
    if (signal.aborted) log.info("Stopping: no new receives, finishing what is held");
    await Promise.race([receiving, clock.sleep(GRACE_MS, over.signal)]);
    receiver.abort();
    await receiving;
    if (!mayFinish()) return;
    // The last second, or a fifth of a short time, is for telling the queue what is released.
    const patience = Math.max(seconds - 1, seconds * 0.8) * 1000 - GRACE_MS;
    await Promise.race([finish(), clock.sleep(patience, over.signal)]);
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
