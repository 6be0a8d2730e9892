import { getLogger } from "../observe/log.ts";
import { type Queue, QueueError } from "../queue/queue.ts";
import type { Clock } from "./clock.ts";
import type { HeldMessage, Holdings } from "./holdings.ts";
import { inGroups } from "./in_groups.ts";
import { within } from "./within.ts";

/** Options of {@linkcode releaseAll}. */
export interface ReleaseOptions {
  readonly queue: Queue;
  readonly holdings: Holdings;
  /** How long telling the queue may take; thousands of messages and a silent queue take minutes. */
  readonly milliseconds: number;
  readonly clock: Clock;
}

/** Release calls under way at once. A guess: 4,000 messages in 50 rounds. */
const PARALLEL = 8;

const log = getLogger("release");

/**
 * Gives everything back that is held, visible at once. It counts as released either way: what the queue
 * could not be told comes again when its lease is over.
 */
export async function releaseAll(options: ReleaseOptions): Promise<void> {
  const { queue, holdings, milliseconds, clock } = options;
  const held = holdings.all();
  if (held.length === 0) return;
  let told = 0;
  let late = false;
  const telling = inGroups(held, queue.batchSize, PARALLEL, async (group) => {
    if (!late) {
      const back = await release(queue, group);
      // Not `told += await …`: that would add to what `told` was before the wait.
      told += back;
    }
    for (const message of group) holdings.settle(message, "released");
  });
  late = !await within(telling, milliseconds, clock);
  for (const message of held) holdings.settle(message, "released");
  log.info("{count} messages were released; {failed} of them come when their lease is over", {
    count: held.length,
    failed: held.length - told,
  });
}

/** How many the queue took back for certain. */
async function release(queue: Queue, group: readonly HeldMessage[]): Promise<number> {
  const entries = group.map(({ message, handle }) => ({ id: message.id, handle }));
  try {
    const failures = await queue.release(entries, 0);
    const [code] = failures.values();
    if (code) log.debug("Could not release {count}: {code}", { count: failures.size, code });
    return entries.length - failures.size;
  } catch (error) {
    if (!(error instanceof QueueError)) throw error;
    log.debug("Could not release {count}: {code}", { count: entries.length, code: error.code });
    return 0;
  }
}
