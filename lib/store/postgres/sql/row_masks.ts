/**
 * The masks in the rows of the target table, by the mask key that computed them, for the rotation of keys.
 *
 * @module
 */
import { type Statement, statement } from "../statement.ts";
import { type MaskedTable, quoteIdentifier, quoteLiteral, quoteTable } from "../target_table.ts";
import { selectMasks } from "./rows.ts";

/**
 * Returns an SQL expression for the id of the key that computed a mask. It is NULL if the text does not have the
 * form of a mask, because a part of any other text may be a part of a personal value.
 *
 * Lengths are compared by arithmetic: as `{0,15}` and `{43}` in the pattern they cost ten times as much,
 * measured.
 *
 * @param text an SQL expression
 */
export function extractMaskKey(text: string): string {
  return `CASE WHEN ${text} COLLATE "C" ~ '^[a-z][a-z0-9]*[.][A-Za-z0-9_-]+$'
      AND octet_length(${text}) - strpos(${text}, '.') = 43 AND strpos(${text}, '.') <= 17
    THEN split_part(${text}, '.', 1) END`;
}

/**
 * Counts the rows in a range of blocks, from `$1` to before `$2`, by field and mask key, and those of the mask
 * keys `$3` by mask as well. Each row is read once.
 */
export function countRowMasks(table: MaskedTable): Statement {
  return statement(`
SELECT field, key_id AS "keyId", CASE WHEN key_id = ANY ($3::text[]) THEN mask END AS mask,
  count(*)::integer AS rows
FROM (
  SELECT carried.field, carried.mask, ${extractMaskKey("carried.mask")} AS key_id
  FROM ${selectMasks(table)}
  WHERE stored.ctid >= $1::tid AND stored.ctid < $2::tid AND carried.mask IS NOT NULL
) AS found
GROUP BY 1, 2, 3`);
}

/**
 * Replaces old masks by the new ones of `maskline.rotation` in a range of blocks, from `$1` to before `$2`, in
 * all columns at once, and counts the rows that changed.
 *
 * It uses subqueries, not a join of the table with itself: each finds its mask by the primary key of the
 * rotation, however large that is, and a row that another transaction changes at the same time is re-read.
 */
export function remaskRows(table: MaskedTable): Statement {
  const columns = table.masked.map(({ field, column }) => {
    const name = quoteIdentifier(column.name);
    const found = `maskline.rotation AS step
      WHERE step.field = ${quoteLiteral(field)}
        AND step.old_mask = stored.${name} COLLATE "C"`;
    return { name, found };
  });
  const changes = columns.map(({ name, found }) =>
    `${name} = coalesce((SELECT step.new_mask FROM ${found}), stored.${name})`
  );
  const conditions = columns.map(({ found }) => `EXISTS (SELECT FROM ${found})`);
  return statement(`
WITH changed AS (
  UPDATE ${quoteTable(table)} AS stored SET ${changes.join(",\n    ")}
  WHERE stored.ctid >= $1::tid AND stored.ctid < $2::tid
    AND (${conditions.join("\n    OR ")})
  RETURNING 1
)
SELECT count(*)::integer AS rows FROM changed`);
}
