import type { MaskedTable } from "../masked_table.ts";
import type { Statement } from "../postgres.ts";
import { quoteTable, type StoredColumn } from "../stored_table.ts";
import { isKnownRowOfSubject } from "./rows_of_subject.ts";

/** Removes the rows of a person, and tells how many. Reads the whole table once. */
export function deleteRows(table: MaskedTable, subject: StoredColumn): Statement {
  return {
    text: `
WITH gone AS (
  DELETE FROM ${quoteTable(table)} AS stored WHERE ${
      isKnownRowOfSubject(table, subject)
    } RETURNING 1
)
SELECT count(*)::text AS rows FROM gone`,
  };
}
