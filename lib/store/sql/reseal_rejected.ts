import type { Statement } from "../postgres.ts";

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
