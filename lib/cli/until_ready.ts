import { getLogger } from "../observe/log.ts";
import { backoff } from "../pipeline/backoff.ts";
import { type Clock, systemClock } from "../pipeline/clock.ts";
import { QueueError } from "../queue/queue.ts";
import { StoreError } from "../store/store.ts";

const log = getLogger("start");

/**
 * Tries to open something until it answers: at a start-up all parts of a deployment come up together,
 * in any order.
 *
 * @throws {QueueError | StoreError} a fault that waiting does not mend, or the signal aborted
 */
export async function waitUntilReady<T>(
  what: string,
  open: () => Promise<T>,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<T> {
  for (let attempt = 1;; attempt++) {
    try {
      return await open();
    } catch (error) {
      if (!isTransient(error) || signal.aborted) throw error;
      if (attempt === 1) log.warn("Waiting for {what}: {code}", { what, code: error.code });
      await clock.sleep(backoff(attempt), signal);
    }
  }
}

function isTransient(error: unknown): error is QueueError | StoreError {
  if (error instanceof StoreError) return error.kind === "transient";
  return error instanceof QueueError && error.transient;
}
