import { getLogger } from "../observe/log.ts";
import { type Queue, QueueError } from "../queue/queue.ts";
import type { Holdings } from "./holdings.ts";
import { inGroups } from "./in_groups.ts";

const log = getLogger("release");

/**
 * Gives everything back that is held, visible at once. It counts as released either way: what the queue
 * could not be told comes again when its lease is over.
 */
export async function releaseAll(queue: Queue, holdings: Holdings): Promise<void> {
  const held = holdings.all();
  let failed = 0;
  await inGroups(held, queue.batchSize, 8, async (group) => {
    const entries = group.map(({ message, handle }) => ({ id: message.id, handle }));
    try {
      failed += (await queue.release(entries, 0)).size;
    } catch (error) {
      if (!(error instanceof QueueError)) throw error;
      failed += entries.length;
    }
    for (const message of group) holdings.settle(message, "released");
  });
  if (held.length > 0) {
    log.info("{count} messages were released; {failed} of them come when their lease is over", {
      count: held.length,
      failed,
    });
  }
}
