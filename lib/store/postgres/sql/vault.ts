/**
 * `maskline.vault (field text, mask text, sealed bytea, key_id text, first_seen, last_seen date)`, primary key
 * (field, mask): each original once, sealed to the vault key `key_id`. The upsert of the hot path is in
 * `batch.ts`.
 *
 * @module
 */
import { statement } from "../statement.ts";
import { extractMaskKey } from "./row_masks.ts";

/** The table, for {@linkcode walkBlocks}. */
export const VAULT_TABLE = { schema: "maskline", name: "vault" } as const;

/** An original as it is stored. */
export interface SealedOriginal {
  readonly mask: string;
  readonly sealed: Uint8Array;
  /** The vault key for which it is sealed. */
  readonly key_id: string;
}

/** Finds the originals of the field `$1` and the masks `$2`, in no order. */
export const findSealedOriginals = statement(`
SELECT mask, sealed, key_id
FROM maskline.vault
WHERE field = $1::text AND mask = ANY ($2::text[])`);

/** Finds which of the fields `$1` and masks `$2` have an original. */
export const findOriginals = statement(`
SELECT field, mask FROM maskline.vault
WHERE (field, mask) IN (SELECT * FROM unnest($1::text[], $2::text[]))`);

/**
 * Finds the same and locks them until the transaction ends: a worker that seals one of these values again
 * waits. Locks are taken in the order of the key, so that two transactions cannot deadlock.
 */
export const lockOriginals = statement(`${findOriginals.text} ORDER BY field, mask FOR UPDATE`);

/** Removes the originals of the fields `$1` and masks `$2`. */
export const removeOriginals = statement(`
DELETE FROM maskline.vault
WHERE (field, mask) IN (SELECT * FROM unnest($1::text[], $2::text[]))`);

/** An entry of the vault, with its field. */
export interface SealedEntry {
  readonly field: string;
  readonly mask: string;
  readonly sealed: Uint8Array<ArrayBuffer>;
  /** The vault key for which it is sealed. */
  readonly key_id: string;
}

/** Reads the entries in a range of blocks, from `$1` to before `$2`, whose mask has a key other than `$3`. */
export const entriesOfOtherMaskKeys = statement(`
SELECT field, mask, sealed, key_id FROM maskline.vault
WHERE ctid >= $1::tid AND ctid < $2::tid AND split_part(mask, '.', 1) <> $3::text`);

/** Reads the entries in a range of blocks, from `$1` to before `$2`, that are sealed to a key other than `$3`. */
export const entriesOfOtherVaultKeys = statement(`
SELECT field, mask, sealed, key_id FROM maskline.vault
WHERE ctid >= $1::tid AND ctid < $2::tid AND key_id <> $3::text`);

/**
 * Replaces the sealed values of the fields `$1` and masks `$2`, sealed to the keys `$3`, by the values `$4`,
 * all sealed to the key `$5`. An entry that was removed or replaced since is left as it is. Locks are taken
 * in the order of the key first, as workers take them, so that the two cannot deadlock.
 */
export const resealEntries = statement(`
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
SELECT count(*)::integer AS changed FROM changed`);

/**
 * Stores originals under new masks: fields `$1`, old masks `$2`, new masks `$3` and sealed values `$4`, all
 * sealed to the key `$5`. Skips those whose old entry is gone, and locks the others until the commit: the
 * original of a person who is forgotten at this moment must not be restored. Returns the fields and old masks
 * that were stored.
 *
 * An entry that a worker stored under the new mask is replaced, because this one has been opened and compared.
 * Old masks of several keys may have the same new mask. Locks are taken in the order of the key.
 */
export const upsertRemasked = statement(`
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
SELECT field, mask FROM old`);

/** Entries of the vault, by field, by the key of their mask and by the key for which they are sealed. */
export interface VaultKeyCount {
  readonly field: string;
  /** Null if the text is not a mask. */
  readonly mask_key: string | null;
  readonly vault_key: string;
  readonly entries: number;
}

/** Counts the entries in a range of blocks of the table, from `$1` to before `$2`. */
export const countVaultKeys = statement(`
SELECT field, ${
  extractMaskKey("mask")
} AS mask_key, key_id AS vault_key, count(*)::integer AS entries
FROM maskline.vault
WHERE ctid >= $1::tid AND ctid < $2::tid
GROUP BY 1, 2, 3`);

const ELSEWHERE = "The vault of these rows is in a database of its own";

/** Records, permanently, that the vault of this database's rows is in another database. */
export const markVaultElsewhere = statement(`COMMENT ON TABLE maskline.vault IS '${ELSEWHERE}'`);

/** Reads whether that was recorded. */
export const findForeignVault = statement(`
SELECT coalesce(obj_description(to_regclass('maskline.vault'), 'pg_class') = '${ELSEWHERE}', false)
  AS elsewhere`);
