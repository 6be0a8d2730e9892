import type { Statement } from "../postgres.ts";
import {
  castType,
  listColumns,
  quoteIdentifier,
  quoteTable,
  type StoredTable,
} from "../stored_table.ts";

/** Stores one row: a parameter a column, the date sent last. */
export function insertRow(table: StoredTable): Statement {
  const columns = listColumns(table);
  const names = columns.map(({ name }) => quoteIdentifier(name));
  const values = columns.map((column, index) => `$${index + 1}::${castType(column)}`);
  return {
    text: `INSERT INTO ${quoteTable(table)} (${names.join(", ")}) VALUES (${values.join(", ")})`,
  };
}
