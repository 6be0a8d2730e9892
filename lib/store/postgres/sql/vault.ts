import type { Statement } from "../database.ts";
import { extractMaskKey } from "./row_masks.ts";

/** An original as the vault keeps it. */
export interface SealedOriginal {
  readonly mask: string;
  readonly sealed: Uint8Array;
  /** The id of the vault key to which it was sealed. */
  readonly key_id: string;
}

/** The originals of these masks in a field; those that are kept, in no order. */
export const sealedOriginals: Statement = {
  text: `
SELECT mask, sealed, key_id
FROM maskline.vault
WHERE field = $1::text AND mask = ANY ($2::text[])`,
};

/** Which of the fields `$1` and masks `$2` have an original. */
export const findOriginals: Statement = {
  text: `
SELECT field, mask FROM maskline.vault
WHERE (field, mask) IN (SELECT * FROM unnest($1::text[], $2::text[]))`,
};

/**
 * The same, and from now to the transaction's end no worker finds them there: one that brings a value
 * again waits. Whoever locks several does it in the order of the key, so that no two wait for each other.
 */
export const lockOriginals: Statement = {
  text: `${findOriginals.text} ORDER BY field, mask FOR UPDATE`,
};

/** Removes the originals of the fields `$1` and masks `$2` from the vault. */
export const removeOriginals: Statement = {
  text: `
DELETE FROM maskline.vault
WHERE (field, mask) IN (SELECT * FROM unnest($1::text[], $2::text[]))`,
};

/** An entry of the vault. */
export interface SealedEntry {
  readonly field: string;
  readonly mask: string;
  readonly sealed: Uint8Array<ArrayBuffer>;
  /** The vault key that it is sealed for. */
  readonly key_id: string;
}

/** Entries in a range of blocks (`$1` up to before `$2`) whose mask another key than `$3` made. */
export const entriesOfOtherMaskKeys: Statement = {
  text: `
SELECT field, mask, sealed, key_id FROM maskline.vault
WHERE ctid >= $1::tid AND ctid < $2::tid AND split_part(mask, '.', 1) <> $3::text`,
};

/** Entries in a range of blocks (`$1` up to before `$2`) that are sealed for another key than `$3`. */
export const entriesOfOtherVaultKeys: Statement = {
  text: `
SELECT field, mask, sealed, key_id FROM maskline.vault
WHERE ctid >= $1::tid AND ctid < $2::tid AND key_id <> $3::text`,
};

/**
 * Replaces sealed values in the vault: fields `$1`, masks `$2`, the keys that they were sealed for `$3`
 * and the new values `$4`, all for the key `$5`. One that was removed or replaced meanwhile is left.
 * Locked in the order of the key first, as workers do it, so that the two cannot deadlock.
 */
export const resealEntries: Statement = {
  text: `
WITH page AS (
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[])
    AS entry (field, mask, key_id, sealed)
), locked AS MATERIALIZED (
  SELECT present.field, present.mask
  FROM page JOIN maskline.vault AS present USING (field, mask)
  ORDER BY present.field, present.mask
  FOR NO KEY UPDATE OF present
), changed AS (
  UPDATE maskline.vault AS present SET sealed = page.sealed, key_id = $5::text
  FROM page JOIN locked USING (field, mask)
  WHERE present.field = page.field AND present.mask = page.mask AND present.key_id = page.key_id
  RETURNING 1
)
SELECT count(*)::integer AS changed FROM changed`,
};

/**
 * Puts originals into the vault under new masks: fields `$1`, old masks `$2`, new masks `$3` and sealed
 * values `$4`, all for the vault key `$5`. Only where the old entry is still there, which is locked
 * until then: a person who is forgotten in this moment must not come back. Gives the fields and old masks
 * of those that were.
 *
 * One that a worker put there under the new mask is replaced: this one has been opened and compared.
 * Two old masks of several keys may have the same new one. In the order of the key, as workers do it.
 */
export const upsertRemasked: Statement = {
  text: `
WITH old AS MATERIALIZED (
  SELECT present.field, present.mask, step.new_mask, step.sealed, present.first_seen,
    present.last_seen
  FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[])
    AS step (field, old_mask, new_mask, sealed)
  JOIN maskline.vault AS present ON present.field = step.field AND present.mask = step.old_mask
  ORDER BY present.field, present.mask
  FOR KEY SHARE OF present
), kept AS (
  INSERT INTO maskline.vault AS present (field, mask, sealed, key_id, first_seen, last_seen)
  SELECT field, new_mask COLLATE "C", (array_agg(sealed))[1], $5::text, min(first_seen),
    max(last_seen)
  FROM old
  GROUP BY 1, 2
  ORDER BY 1, 2
  ON CONFLICT (field, mask) DO UPDATE SET
    sealed = excluded.sealed,
    key_id = excluded.key_id,
    first_seen = least(present.first_seen, excluded.first_seen),
    last_seen = greatest(present.last_seen, excluded.last_seen)
)
SELECT field, mask FROM old`,
};

/** Entries of the vault by field, by the key of their mask and by the key that they are sealed for. */
export interface VaultKeyCount {
  readonly field: string;
  /** Null where what stands there is no mask. */
  readonly mask_key: string | null;
  readonly vault_key: string;
  readonly entries: number;
}

/** Counts the entries in a range of blocks of the vault, `$1` up to before `$2`. */
export const countVaultKeys: Statement = {
  text: `
SELECT field, ${
    extractMaskKey("mask")
  } AS mask_key, key_id AS vault_key, count(*)::integer AS entries
FROM maskline.vault
WHERE ctid >= $1::tid AND ctid < $2::tid
GROUP BY 1, 2, 3`,
};

const ELSEWHERE = "The vault of these rows is in a database of its own";

/** Notes for good that the vault of this database's rows is in another one. */
export const markVaultElsewhere: Statement = {
  text: `COMMENT ON TABLE maskline.vault IS '${ELSEWHERE}'`,
};

/** Whether that was noted. */
export const vaultIsElsewhere: Statement = {
  text: `
SELECT coalesce(obj_description(to_regclass('maskline.vault'), 'pg_class') = '${ELSEWHERE}', false)
  AS elsewhere`,
};
