import type { Statement } from "../database.ts";
import { type MaskedTable, quoteIdentifier, quoteTable } from "../target_table.ts";
import { carriedMasks } from "./rows.ts";

/**
 * The id of the key that made a mask, as an SQL expression; NULL where the text has not the form of a
 * mask, since a part of whatever else stands there may be a part of a personal value.
 *
 * Lengths by arithmetic: as `{0,15}` and `{43}` in the pattern they cost ten times as much, measured.
 *
 * @param text an SQL expression
 */
export function extractMaskKey(text: string): string {
  return `CASE WHEN ${text} COLLATE "C" ~ '^[a-z][a-z0-9]*[.][A-Za-z0-9_-]+$'
      AND octet_length(${text}) - strpos(${text}, '.') = 43 AND strpos(${text}, '.') <= 17
    THEN split_part(${text}, '.', 1) END`;
}

/** Rows of one field by the key of their mask, or by the mask itself where that is asked for. */
export interface RowMaskCount {
  readonly field: string;
  /** The key's id; null where what stands there is no mask. */
  readonly key_id: string | null;
  readonly mask: string | null;
  readonly rows: number;
}

/**
 * Counts the rows in a range of blocks (`$1` up to before `$2`) by field and mask key, and those of the
 * mask keys `$3` by mask. Each row is read once.
 */
export function countRowMasks(table: MaskedTable): Statement {
  return {
    text: `
SELECT field, key_id, CASE WHEN key_id = ANY ($3::text[]) THEN mask END AS mask,
  count(*)::integer AS rows
FROM (
  SELECT carried.field, carried.mask, ${extractMaskKey("carried.mask")} AS key_id
  FROM ${carriedMasks(table)}
  WHERE stored.ctid >= $1::tid AND stored.ctid < $2::tid AND carried.mask IS NOT NULL
) AS found
GROUP BY 1, 2, 3`,
  };
}

/**
 * Gives the rows in a range of blocks (`$1` up to before `$2`) the new masks that the rotation has for
 * their old ones, in all columns at once, and counts the rows that it changed.
 *
 * Subqueries, and not a join of the table with itself: each finds its mask by the key of the rotation,
 * however large that is, and what somebody else changes in the same moment is looked at anew.
 */
export function remaskRows(table: MaskedTable): Statement {
  const columns = table.masked.map(({ field, column }) => {
    const name = quoteIdentifier(column.name);
    const found = `maskline.rotation AS step
      WHERE step.field = '${field.replaceAll("'", "''")}'
        AND step.old_mask = stored.${name} COLLATE "C"`;
    return { name, found };
  });
  const changes = columns.map(({ name, found }) =>
    `${name} = coalesce((SELECT step.new_mask FROM ${found}), stored.${name})`
  );
  const conditions = columns.map(({ found }) => `EXISTS (SELECT FROM ${found})`);
  return {
    text: `
WITH changed AS (
  UPDATE ${quoteTable(table)} AS stored SET ${changes.join(",\n    ")}
  WHERE stored.ctid >= $1::tid AND stored.ctid < $2::tid
    AND (${conditions.join("\n    OR ")})
  RETURNING 1
)
SELECT count(*)::integer AS rows FROM changed`,
  };
}
