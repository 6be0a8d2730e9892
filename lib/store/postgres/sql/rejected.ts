import type { Statement } from "../database.ts";

/** A message that was set aside, without its body. */
export interface ListedRejection {
  readonly message_id: string;
  /** ISO 8601, UTC. */
  readonly rejected_at: string;
  readonly receive_count: number;
  readonly reason: string;
  readonly field: string | null;
  readonly sqlstate: string | null;
  readonly status: string;
}

/** The newest rejections with a status (all of them where it is null), at most so many. */
export const listRejected: Statement = {
  text: `
SELECT message_id, to_char(rejected_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS rejected_at,
  receive_count, reason, field, sqlstate, status
FROM maskline.rejected
WHERE $1::text IS NULL OR status = $1::text
ORDER BY rejected_at DESC, message_id
LIMIT $2::integer`,
};

/** A message that was set aside, with its sealed body. */
export interface FoundRejection extends ListedRejection {
  /** ISO 8601, UTC. */
  readonly sent_at: string;
  /** Empty once the message was replayed or discarded. */
  readonly sealed: Uint8Array;
  readonly key_id: string;
}

/** One rejection by its message's id. */
export const findRejected: Statement = {
  text: `
SELECT message_id,
  to_char(sent_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS sent_at,
  to_char(rejected_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS rejected_at,
  receive_count, reason, field, sqlstate, status, sealed, key_id
FROM maskline.rejected
WHERE message_id = $1::text`,
};

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

/** The ids of open rejections with a reason, the oldest first; at most so many, all of them where null. */
export const openRejectedIds: Statement = {
  text: `
SELECT message_id FROM maskline.rejected
WHERE status = 'open' AND reason = $1::text
ORDER BY sent_at, message_id
LIMIT $2::integer`,
};

/** Gives a rejection its last status and erases its body. */
export const closeRejected: Statement = {
  text: `
UPDATE maskline.rejected SET status = $2::text, sealed = ''::bytea
WHERE message_id = $1::text`,
};

/** A rejected body. */
export interface StoredBody {
  readonly message_id: string;
  readonly sealed: Uint8Array<ArrayBuffer>;
  /** The vault key that it is sealed for. */
  readonly key_id: string;
}

/** Bodies after the message `$1` that are sealed for another key than `$2`, at most `$3`; not erased ones. */
export const bodiesOfOtherVaultKeys: Statement = {
  text: `
SELECT message_id, sealed, key_id FROM maskline.rejected
WHERE message_id > $1::text AND key_id <> $2::text AND octet_length(sealed) > 0
ORDER BY message_id
LIMIT $3::integer`,
};

/**
 * Replaces sealed bodies: message ids `$1`, the keys that they were sealed for `$2` and the new values
 * `$3`, all for the key `$4`. One that was erased meanwhile stays so.
 */
export const resealBodies: Statement = {
  text: `
WITH changed AS (
  UPDATE maskline.rejected AS present SET sealed = page.sealed, key_id = $4::text
  FROM unnest($1::text[], $2::text[], $3::bytea[]) AS page (message_id, key_id, sealed)
  WHERE present.message_id = page.message_id AND present.key_id = page.key_id
    AND octet_length(present.sealed) > 0
  RETURNING 1
)
SELECT count(*)::integer AS changed FROM changed`,
};

/** Rejected bodies by the vault key that they are sealed for. */
export interface RejectedKeyCount {
  readonly vault_key: string;
  readonly bodies: number;
}

/** Counts the bodies in a range of blocks of the rejections, `$1` up to before `$2`; not erased ones. */
export const countRejectedKeys: Statement = {
  text: `
SELECT key_id AS vault_key, count(*)::integer AS bodies
FROM maskline.rejected
WHERE ctid >= $1::tid AND ctid < $2::tid AND octet_length(sealed) > 0
GROUP BY 1`,
};
