import type { MaskedTable } from "../masked_table.ts";
import type { Statement } from "../postgres.ts";
import { nameOf, type StoredColumn } from "../stored_table.ts";
import { rowsOfSubject } from "./rows_of_subject.ts";

/** Removes the rows of a person, and tells how many. Reads the whole table once. */
export function deleteRowsOf(table: MaskedTable, subject: StoredColumn): Statement {
  return {
    text: `
WITH gone AS (
  DELETE FROM ${nameOf(table)} AS stored WHERE ${rowsOfSubject(table, subject)} RETURNING 1
)
SELECT count(*)::text AS rows FROM gone`,
  };
}
