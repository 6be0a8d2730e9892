import type { MaskedTable } from "../masked_table.ts";
import type { Statement } from "../postgres.ts";
import { nameOf, quote, type StoredColumn } from "../stored_table.ts";
import { rowsOfSubject } from "./rows_of_subject.ts";

/**
 * Takes the person and the masks out of a person's rows, and tells how many rows there were. Where a column
 * must have a value it gets one that no other row has, so that not even these rows can be linked.
 *
 * @param notNull names of the columns that must have a value
 */
export function anonymiseRowsOf(
  table: MaskedTable,
  subject: StoredColumn,
  notNull: ReadonlySet<string>,
): Statement {
  const columns = [subject, ...table.masked.map(({ column }) => column)];
  const set = columns.map(({ name }) =>
    `${quote(name)} = ${notNull.has(name) ? "'forgotten-' || gen_random_uuid()" : "NULL"}`
  );
  return {
    text: `
WITH changed AS (
  UPDATE ${nameOf(table)} AS stored SET ${set.join(", ")}
  WHERE ${rowsOfSubject(table, subject)} RETURNING 1
)
SELECT count(*)::text AS rows FROM changed`,
  };
}
