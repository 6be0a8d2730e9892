import type { Statement } from "../postgres.ts";
import { columnsOf, nameOf, quote, type StoredTable } from "../stored_table.ts";

/** Stores one row: a parameter a column, the date sent last. */
export function insertRow(table: StoredTable): Statement {
  const columns = columnsOf(table);
  const names = columns.map(({ name }) => quote(name));
  // Without its length, or the cast would cut a text that the column refuses.
  const values = columns.map(({ type }, index) => `$${index + 1}::${type.replace(/\(.*\)$/, "")}`);
  return {
    text: `INSERT INTO ${nameOf(table)} (${names.join(", ")}) VALUES (${values.join(", ")})`,
  };
}
