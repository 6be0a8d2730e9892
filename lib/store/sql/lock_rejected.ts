import type { Statement } from "../postgres.ts";

/** A rejection that nobody else changes until the transaction ends. */
export interface LockedRejection {
  readonly message_id: string;
  /** Milliseconds since 1970 UTC. */
  readonly sent_at: number;
  readonly receive_count: number;
  readonly status: "open" | "replayed" | "discarded";
  /** Empty unless it is open. */
  readonly sealed: Uint8Array;
  readonly key_id: string;
  /** What the ledger has of it; null where that day was purged. */
  readonly outcome: "committed" | "rejected" | null;
}

/**
 * One rejection, locked. Whoever comes second waits, and then sees what became of it: Postgres reads a
 * row again that it had to wait for.
 */
export const lockRejected: Statement = {
  text: `
SELECT message_id, (extract(epoch FROM sent_at) * 1000)::float8 AS sent_at, receive_count, status,
  sealed, key_id, (
    SELECT outcome::text FROM maskline.ledger
    WHERE ledger.message_id = rejected.message_id
      AND ledger.date_sent = (rejected.sent_at AT TIME ZONE 'UTC')::date
  ) AS outcome
FROM maskline.rejected
WHERE message_id = $1::text
FOR UPDATE OF rejected`,
};
