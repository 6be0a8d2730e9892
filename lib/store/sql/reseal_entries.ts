import type { Statement } from "../postgres.ts";

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
