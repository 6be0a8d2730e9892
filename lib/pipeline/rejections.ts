import { backoff } from "../base/backoff.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { getLogger } from "../observe/log.ts";
import { type DeadLetterQueue, QueueError, type RejectedMessage } from "../queue/queue.ts";
import type { Sealer } from "../vault/seal.ts";

/** A sealed body, as the store takes it. */
export interface SealedBody {
  readonly bytes: Uint8Array;
  readonly keyId: string;
}

/**
 * Puts the bodies of rejected messages where they are kept, before their rejection commits. Gives the
 * sealed form for each one, `null` where it went elsewhere, or `refused` where no place will ever take
 * it: that message must not be settled.
 */
export type KeepRejected = (
  messages: readonly RejectedMessage[],
  signal: AbortSignal,
) => Promise<(SealedBody | null | "refused")[]>;

const log = getLogger("set_aside");

/** Seals bodies, all of a batch under one data key, for `maskline.rejected`. */
export function sealRejected(sealer: Sealer): KeepRejected {
  return async (messages) => {
    if (messages.length === 0) return [];
    const batch = await sealer.startBatch();
    return messages.map(({ id, body }) => ({
      bytes: batch.seal(body, { field: "rejected", mask: id }),
      keyId: sealer.keyId,
    }));
  };
}

/**
 * Sends bodies to another queue, again and again until all are there or the signal aborts. What that
 * queue refuses for itself is not tried again: it would hold up everything else for ever.
 */
export function sendRejected(sender: DeadLetterQueue, clock: Clock = systemClock): KeepRejected {
  return async (messages, signal) => {
    const refused = new Set<string>();
    let left = messages;
    for (let attempt = 1; left.length > 0; attempt++) {
      if (signal.aborted) throw new QueueError("send rejected messages on", "stopped");
      const unsent = await sender.send(left);
      for (const [id, code] of unsent.refused) {
        refused.add(id);
        log.error("The queue for rejected messages refuses message {id} ({code})", { id, code });
      }
      left = left.filter(({ id }) => unsent.failed.has(id));
      if (left.length === 0) break;
      const [code] = unsent.failed.values();
      if (attempt === 1) {
        log.warn("Rejected messages could not be sent ({code}); trying again", { code });
      }
      await clock.sleep(backoff(attempt), signal);
    }
    return messages.map(({ id }) => refused.has(id) ? "refused" : null);
  };
}
