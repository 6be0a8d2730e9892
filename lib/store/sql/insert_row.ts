import type { Statement } from "../postgres.ts";
import { castType, columnsOf, nameOf, quote, type StoredTable } from "../stored_table.ts";

/** Stores one row: a parameter a column, the date sent last. */
export function insertRow(table: StoredTable): Statement {
  const columns = columnsOf(table);
  const names = columns.map(({ name }) => quote(name));
  const values = columns.map((column, index) => `$${index + 1}::${castType(column)}`);
  return {
    text: `INSERT INTO ${nameOf(table)} (${names.join(", ")}) VALUES (${values.join(", ")})`,
  };
}
