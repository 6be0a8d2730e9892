import { forEachChunk } from "../base/chunks.ts";
import { type Clock, withTimeout } from "../base/clock.ts";
import { getLogger } from "../observe/log.ts";
import { type Queue, QueueError } from "../queue/queue.ts";
import type { InFlightMessage, InFlightMessages } from "./in_flight.ts";

/** Options of {@linkcode releaseAll}. */
export interface ReleaseOptions {
  readonly queue: Queue;
  readonly inFlight: InFlightMessages;
  /** How long telling the queue may take; thousands of messages and a silent queue take minutes. */
  readonly milliseconds: number;
  readonly clock: Clock;
}

/** Release calls under way at once. A guess: 4,000 messages in 50 rounds. */
const PARALLEL_RELEASES = 8;

const log = getLogger("release");

/**
 * Gives everything back that is held, visible at once. It counts as released either way: what the queue
 * could not be told comes again when its lease is over.
 */
export async function releaseAll(options: ReleaseOptions): Promise<void> {
  const { queue, inFlight, milliseconds, clock } = options;
  const entries = inFlight.all();
  if (entries.length === 0) return;
  let told = 0;
  let late = false;
  const telling = forEachChunk(entries, queue.batchSize, PARALLEL_RELEASES, async (group) => {
    if (!late) {
      const back = await release(queue, group);
      // Not `told += await …`: that would add to what `told` was before the wait.
      told += back;
    }
    for (const message of group) inFlight.settle(message, "released");
  });
  late = !await withTimeout(telling, milliseconds, clock);
  for (const message of entries) inFlight.settle(message, "released");
  log.info("{count} messages were released; {failed} of them come when their lease is over", {
    count: entries.length,
    failed: entries.length - told,
  });
}

/** How many the queue took back for certain. */
async function release(queue: Queue, group: readonly InFlightMessage[]): Promise<number> {
  const handles = group.map(({ message, handle }) => ({ id: message.id, handle }));
  try {
    const failures = await queue.release(handles, 0);
    const [code] = failures.values();
    if (code) log.debug("Could not release {count}: {code}", { count: failures.size, code });
    return handles.length - failures.size;
  } catch (error) {
    if (!(error instanceof QueueError)) throw error;
    log.debug("Could not release {count}: {code}", { count: handles.length, code: error.code });
    return 0;
  }
}
