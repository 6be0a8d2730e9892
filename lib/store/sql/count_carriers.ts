import type { Statement } from "../postgres.ts";
import type { MaskedTable } from "../masked_table.ts";
import { quoteIdentifier, quoteTable, type StoredColumn } from "../stored_table.ts";

/**
 * How many rows have the mask `$1` in a column, and of how many people (null where the table names
 * none; rows that name nobody count as one). Reads the whole table once.
 */
export function countCarriers(table: MaskedTable, column: StoredColumn): Statement {
  const subject = table.subject && quoteIdentifier(table.subject.name);
  const users = subject
    ? `count(DISTINCT ${subject}) + coalesce(bool_or(${subject} IS NULL), false)::integer`
    : "NULL";
  return {
    text: `
SELECT count(*)::text AS rows, (${users})::text AS users
FROM ${quoteTable(table)}
WHERE ${quoteIdentifier(column.name)} = $1::text`,
  };
}
