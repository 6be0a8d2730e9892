/**
 * `maskline.rejected (message_id text PRIMARY KEY, sent_at, rejected_at timestamptz, receive_count integer,
 * reason, field, sqlstate text, sealed bytea, key_id text, status 'open'|'replayed'|'discarded')`: messages that
 * do not satisfy the contract, each with its body sealed to the vault key `key_id`.
 *
 * @module
 */
import { statement } from "../statement.ts";

/** The table, for {@linkcode walkBlocks}. */
export const REJECTED_TABLE = { schema: "maskline", name: "rejected" } as const;

/** A rejection, without its body. */
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

/** Reads the newest rejections with the status `$1` (null for all of them), at most `$2`. */
export const listRejected = statement(`
SELECT message_id, to_char(rejected_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS rejected_at,
  receive_count, reason, field, sqlstate, status
FROM maskline.rejected
WHERE $1::text IS NULL OR status = $1::text
ORDER BY rejected_at DESC, message_id
LIMIT $2::integer`);

/** A rejection, with its sealed body. */
export interface FoundRejection extends ListedRejection {
  /** ISO 8601, UTC. */
  readonly sent_at: string;
  /** Empty after the message was replayed or discarded. */
  readonly sealed: Uint8Array;
  readonly key_id: string;
}

/** Finds the rejection of the message `$1`. */
export const findRejected = statement(`
SELECT message_id,
  to_char(sent_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS sent_at,
  to_char(rejected_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS rejected_at,
  receive_count, reason, field, sqlstate, status, sealed, key_id
FROM maskline.rejected
WHERE message_id = $1::text`);

/** A rejection that is locked until the transaction ends. */
export interface LockedRejection {
  readonly message_id: string;
  /** Milliseconds since 1970 UTC. */
  readonly sent_at: number;
  readonly receive_count: number;
  readonly status: "open" | "replayed" | "discarded";
  /** Empty unless it is open. */
  readonly sealed: Uint8Array;
  readonly key_id: string;
  /** Its outcome in the ledger; null if that day was purged. */
  readonly outcome: "committed" | "rejected" | null;
}

/**
 * Locks the rejection of the message `$1`. A second command waits, and then sees what the first one did,
 * because Postgres re-reads a row that it had to wait for.
 */
export const lockRejected = statement(`
SELECT message_id, (extract(epoch FROM sent_at) * 1000)::float8 AS sent_at, receive_count, status,
  sealed, key_id, (
    SELECT outcome::text FROM maskline.ledger
    WHERE ledger.message_id = rejected.message_id
      AND ledger.date_sent = (rejected.sent_at AT TIME ZONE 'UTC')::date
  ) AS outcome
FROM maskline.rejected
WHERE message_id = $1::text
FOR UPDATE OF rejected`);

/** Reads the ids of open rejections with the reason `$1`, oldest first, at most `$2` (null for all). */
export const openRejectedIds = statement(`
SELECT message_id FROM maskline.rejected
WHERE status = 'open' AND reason = $1::text
ORDER BY sent_at, message_id
LIMIT $2::integer`);

/** Sets the last status `$2` of the rejection of the message `$1`, and erases its body. */
export const closeRejected = statement(`
UPDATE maskline.rejected SET status = $2::text, sealed = ''::bytea
WHERE message_id = $1::text`);

/** A rejected body. */
export interface StoredBody {
  readonly message_id: string;
  readonly sealed: Uint8Array<ArrayBuffer>;
  /** The vault key for which it is sealed. */
  readonly key_id: string;
}

/** Reads bodies after the message `$1` that are sealed to a key other than `$2`, at most `$3`. Skips erased ones. */
export const bodiesOfOtherVaultKeys = statement(`
SELECT message_id, sealed, key_id FROM maskline.rejected
WHERE message_id > $1::text AND key_id <> $2::text AND octet_length(sealed) > 0
ORDER BY message_id
LIMIT $3::integer`);

/**
 * Replaces the sealed bodies of the messages `$1`, sealed to the keys `$2`, by the values `$3`, all sealed to
 * the key `$4`. A body that was erased since stays erased.
 */
export const resealBodies = statement(`
WITH changed AS (
  UPDATE maskline.rejected AS present SET sealed = page.sealed, key_id = $4::text
  FROM unnest($1::text[], $2::text[], $3::bytea[]) AS page (message_id, key_id, sealed)
  WHERE present.message_id = page.message_id AND present.key_id = page.key_id
    AND octet_length(present.sealed) > 0
  RETURNING 1
)
SELECT count(*)::integer AS changed FROM changed`);

/** Rejected bodies, by the vault key for which they are sealed. */
export interface RejectedKeyCount {
  readonly vault_key: string;
  readonly bodies: number;
}

/** Counts the bodies in a range of blocks of the table, from `$1` to before `$2`. Skips erased ones. */
export const countRejectedKeys = statement(`
SELECT key_id AS vault_key, count(*)::integer AS bodies
FROM maskline.rejected
WHERE ctid >= $1::tid AND ctid < $2::tid AND octet_length(sealed) > 0
GROUP BY 1`);
