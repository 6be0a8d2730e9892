import type { MaskedTable } from "../masked_table.ts";
import type { Statement } from "../postgres.ts";
import { quoteIdentifier, quoteTable } from "../stored_table.ts";

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
