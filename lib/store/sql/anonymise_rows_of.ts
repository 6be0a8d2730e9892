import type { MaskedTable } from "../masked_table.ts";
import type { Statement } from "../postgres.ts";
import { quoteIdentifier, quoteTable, type StoredColumn } from "../stored_table.ts";
import { isKnownRowOfSubject } from "./rows_of_subject.ts";

/**
 * Takes the person and the masks out of a person's rows, and tells how many rows there were. Where a column
 * must have a value it gets one that no other row has, so that not even these rows can be linked.
 *
 * @param notNull names of the columns that must have a value
 */
export function anonymiseRows(
  table: MaskedTable,
  subject: StoredColumn,
  notNull: ReadonlySet<string>,
): Statement {
  const columns = [subject, ...table.masked.map(({ column }) => column)];
  const set = columns.map(({ name }) =>
    `${quoteIdentifier(name)} = ${notNull.has(name) ? "'forgotten-' || gen_random_uuid()" : "NULL"}`
  );
  return {
    text: `
WITH changed AS (
  UPDATE ${quoteTable(table)} AS stored SET ${set.join(", ")}
  WHERE ${isKnownRowOfSubject(table, subject)} RETURNING 1
)
SELECT count(*)::text AS rows FROM changed`,
  };
}
