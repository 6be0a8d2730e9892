import type { Statement } from "../postgres.ts";

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
