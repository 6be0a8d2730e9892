import type { MaskedTable } from "../masked_table.ts";
import type { Statement } from "../postgres.ts";
import { carriedMasks } from "./carried_masks.ts";
import { extractMaskKey } from "./mask_key_of.ts";

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
