import { backoff } from "../base/backoff.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { getLogger } from "../observe/log.ts";
import { type DeadLetterQueue, QueueError, type RejectedMessage } from "../queue/queue.ts";
import type { Sealer } from "../vault/seal.ts";
import { bindRejectedBody } from "../vault/suite.ts";

/** A sealed body in the form that the store expects. */
export interface SealedBody {
  readonly bytes: Uint8Array;
  readonly keyId: string;
}

/**
 * Stores the bodies of rejected messages before their rejection commits. Returns for each body its
 * sealed form, `null` if it went to a queue, or `refused` if that queue permanently refuses it. A message
 * with a refused body must not be settled.
 */
export type KeepRejected = (
  messages: readonly RejectedMessage[],
  signal: AbortSignal,
) => Promise<(SealedBody | null | "refused")[]>;

const log = getLogger("rejections");

/** Seals bodies for `maskline.rejected`, all bodies of a batch under one data key. */
export function sealRejected(sealer: Sealer): KeepRejected {
  return async (messages) => {
    if (messages.length === 0) return [];
    const batch = await sealer.startBatch();
    return messages.map(({ id, body }) => ({
      bytes: batch.seal(body, bindRejectedBody(id)),
      keyId: sealer.keyId,
    }));
  };
}

/**
 * Sends bodies to another queue and retries until all are sent or the signal aborts. A body that the
 * queue refuses as invalid is not retried: it would block all other messages indefinitely.
 */
export function sendRejected(sender: DeadLetterQueue, clock: Clock = systemClock): KeepRejected {
  return async (messages, signal) => {
    const refused = new Set<string>();
    let remaining = messages;
    for (let attempt = 1; remaining.length > 0; attempt++) {
      if (signal.aborted) throw new QueueError("send rejected messages", "stopped");
      const unsent = await sender.send(remaining);
      for (const [id, code] of unsent.refused) {
        refused.add(id);
        log.error(
          "The dead-letter queue refused message {id} ({code}). The message stays in its source queue",
          { id, code },
        );
      }
      remaining = remaining.filter(({ id }) => unsent.failed.has(id));
      if (remaining.length === 0) break;
      const [code] = unsent.failed.values();
      if (attempt === 1) {
        log.warn("Rejected messages could not be sent ({code}). Retrying", { code });
      }
      await clock.sleep(backoff(attempt), signal);
    }
    return messages.map(({ id }) => refused.has(id) ? "refused" : null);
  };
}
