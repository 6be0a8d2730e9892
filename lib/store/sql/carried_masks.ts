import type { MaskedTable } from "../masked_table.ts";
import { quoteIdentifier, quoteTable } from "../stored_table.ts";

/**
 * The rows as `stored`, each once for every masked column, whose field and value are `carried.field` and
 * `carried.mask`. One scan, however many columns there are.
 *
 * @param more further rows of the list
 */
export function carriedMasks(table: MaskedTable, more: readonly string[] = []): string {
  const masks = table.masked.map(({ field, column }) =>
    `('${field.replaceAll("'", "''")}', stored.${quoteIdentifier(column.name)}::text)`
  );
  return `${quoteTable(table)} AS stored
CROSS JOIN LATERAL (VALUES ${[...masks, ...more].join(", ")}) AS carried (field, mask)`;
}
