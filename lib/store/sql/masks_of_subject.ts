import type { Statement } from "../postgres.ts";
import type { StoredColumn } from "../stored_table.ts";
import { quoteIdentifier } from "../stored_table.ts";
import type { MaskedTable } from "../masked_table.ts";
import { carriedMasks } from "./carried_masks.ts";

/** A value of a masked column in the rows of one person; where both are null, all of the rows. */
export interface MaskOfSubject {
  readonly field: string | null;
  readonly mask: string | null;
}

/**
 * How many rows name the person of `$1`, and what stands in their masked columns. None where no row names
 * them. Reads the whole table once, unless somebody made an index.
 */
export function findMasks(table: MaskedTable, subject: StoredColumn): Statement {
  return {
    text: `
SELECT carried.field, carried.mask, count(*)::text AS rows
FROM ${carriedMasks(table, ["(NULL, NULL)"])}
WHERE stored.${quoteIdentifier(subject.name)} = $1::text
  AND (carried.field IS NULL OR carried.mask IS NOT NULL)
GROUP BY carried.field, carried.mask
ORDER BY carried.field, carried.mask COLLATE "C"`,
  };
}
