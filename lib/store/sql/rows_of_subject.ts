import type { MaskedTable } from "../masked_table.ts";
import { quoteIdentifier, type StoredColumn } from "../stored_table.ts";

/**
 * The condition on `stored` for rows of the person of `$1` whose masked columns hold nothing but the
 * values of `$2`, `$3` and so on, an array a column. A row that came since these were looked up and brings
 * another value is left: it would take the last trace of an original with it that stays in the vault.
 */
export function isKnownRowOfSubject({ masked }: MaskedTable, subject: StoredColumn): string {
  const known = masked.map(({ column }, index) => {
    const name = `stored.${quoteIdentifier(column.name)}`;
    return ` AND (${name} IS NULL OR ${name} = ANY ($${index + 2}::text[]))`;
  });
  return `stored.${quoteIdentifier(subject.name)} = $1::text${known.join("")}`;
}
