import type { DeadLetter } from "../queue/dead_letter.ts";
import { type Failures, QueueError } from "../queue/queue.ts";
import type { Sealer } from "../vault/seal.ts";
import { backoff } from "./backoff.ts";
import { type Clock, systemClock } from "./clock.ts";

/** A sealed body, as the store takes it. */
export interface SealedBody {
  readonly bytes: Uint8Array;
  readonly keyId: string;
}

/**
 * Puts the bodies of rejected messages where they are kept, before their rejection commits. Gives the
 * sealed form for each one, or `null` where it went elsewhere.
 */
export type SetAside = (
  letters: readonly DeadLetter[],
  signal: AbortSignal,
) => Promise<(SealedBody | null)[]>;

/** Seals bodies, all of a batch under one data key, for `maskline.rejected`. */
export function sealBodies(sealer: Sealer): SetAside {
  return async (letters) => {
    if (letters.length === 0) return [];
    const batch = await sealer.startBatch();
    return await Promise.all(letters.map(async ({ id, body }) => ({
      bytes: await batch.seal(body, { field: "rejected", mask: id }),
      keyId: sealer.keyId,
    })));
  };
}

/** The call of the queue for rejected messages that is needed here. */
export interface DeadLetterSender {
  send(letters: readonly DeadLetter[]): Promise<Failures>;
}

/** Sends bodies to another queue, again and again until all are there or the signal aborts. */
export function sendBodies(sender: DeadLetterSender, clock: Clock = systemClock): SetAside {
  return async (letters, signal) => {
    let left = letters;
    for (let attempt = 1; left.length > 0; attempt++) {
      if (signal.aborted) throw new QueueError("send rejected messages on", "stopped");
      try {
        const failures = await sender.send(left);
        left = left.filter(({ id }) => failures.has(id));
      } catch (error) {
        if (!(error instanceof QueueError)) throw error;
      }
      if (left.length > 0) await clock.sleep(backoff(attempt), signal);
    }
    return letters.map(() => null);
  };
}
