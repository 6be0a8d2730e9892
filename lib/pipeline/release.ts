import { forEachChunk } from "../base/chunks.ts";
import { type Clock, withTimeout } from "../base/clock.ts";
import { getLogger } from "../observe/log.ts";
import { type Queue, QueueError } from "../queue/queue.ts";
import type { InFlightMessage, InFlightMessages } from "./in_flight.ts";

/** Options of {@linkcode releaseAll}. */
export interface ReleaseOptions {
  readonly queue: Queue;
  readonly inFlight: InFlightMessages;
  /** Time limit for all calls. Thousands of messages and a queue that does not answer take minutes. */
  readonly milliseconds: number;
  readonly clock: Clock;
}

/** Maximum number of parallel release calls: 4,000 messages in 50 rounds. Estimate, not measured. */
const PARALLEL_RELEASES = 8;

const log = getLogger("release");

/**
 * Releases all messages in flight, so that they are visible at once. Every message counts as released. If
 * its release call fails, it is redelivered when its lease expires.
 */
export async function releaseAll(options: ReleaseOptions): Promise<void> {
  const { queue, inFlight, milliseconds, clock } = options;
  const entries = inFlight.all();
  if (entries.length === 0) return;
  let released = 0;
  let late = false;
  const releasing = forEachChunk(entries, queue.batchSize, PARALLEL_RELEASES, async (group) => {
    if (!late) {
      const count = await release(queue, group);
      // Not `released += await …`: that would read `released` before the wait.
      released += count;
    }
    for (const message of group) inFlight.settle(message, "released");
  });
  late = !await withTimeout(releasing, milliseconds, clock);
  for (const message of entries) inFlight.settle(message, "released");
  log.info("{count} messages were released. {failed} of them return when their lease expires", {
    count: entries.length,
    failed: entries.length - released,
  });
}

/** Returns how many releases the queue confirmed. */
async function release(queue: Queue, group: readonly InFlightMessage[]): Promise<number> {
  const handles = group.map(({ message, handle }) => ({ id: message.id, handle }));
  try {
    const failures = await queue.release(handles, 0);
    const [code] = failures.values();
    if (code) {
      log.debug("Could not release {count} messages: {code}", { count: failures.size, code });
    }
    return handles.length - failures.size;
  } catch (error) {
    if (!(error instanceof QueueError)) throw error;
    log.debug("Could not release {count} messages: {code}", {
      count: handles.length,
      code: error.code,
    });
    return 0;
  }
}
