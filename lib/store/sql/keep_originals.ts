import type { Statement } from "../postgres.ts";

/** How many parameters {@linkcode upsertOriginals} takes. */
export const ORIGINAL_PARAMETERS = 8;

/**
 * Puts sealed originals into the vault, with parameters from `first` on: ids, fields, masks, days, the
 * vault key's id, where each sealed value begins (from 1) and its size, and all of them one after the
 * other in one `bytea`, since an array of them would travel as twice as many hexadecimal digits. One that is there stays as it
 * is, but for the day on which it was last seen.
 *
 * In the order of the key, so that two batches with the same values lock them in the same order and
 * cannot deadlock.
 *
 * @param condition which of the originals, by the event's `id`
 */
export function upsertOriginals(first: number, condition: string): string {
  return `
  INSERT INTO maskline.vault AS present (field, mask, sealed, key_id, first_seen, last_seen)
  SELECT DISTINCT ON (field, mask) field, mask,
    substring($${first + 7}::bytea FROM place FOR size),
    $${first + 4}::text, day, day
  FROM (
    SELECT id, field COLLATE "C" AS field, mask COLLATE "C" AS mask, day, place, size
    FROM unnest(
      $${first}::text[], $${first + 1}::text[], $${first + 2}::text[], $${first + 3}::date[],
      $${first + 5}::integer[], $${first + 6}::integer[]
    ) AS original (id, field, mask, day, place, size)
  ) AS original
  WHERE ${condition}
  ORDER BY field, mask, day DESC
  ON CONFLICT (field, mask) DO UPDATE SET last_seen = excluded.last_seen
  WHERE present.last_seen < excluded.last_seen`;
}

/** The same alone, for a vault in a database of its own. */
export const upsertOriginalsAlone: Statement = {
  name: "maskline_keep_originals",
  text: upsertOriginals(1, "true"),
};
