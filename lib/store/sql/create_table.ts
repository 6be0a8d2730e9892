import type { Statement } from "../postgres.ts";
import { listColumns, quoteIdentifier, quoteTable, type StoredTable } from "../stored_table.ts";

/** Makes the target table where there is none; one that is there is taken as it is. */
export function createTable(table: StoredTable): Statement {
  const columns = listColumns(table).map(({ name, type }) => `${quoteIdentifier(name)} ${type}`);
  return { text: `CREATE TABLE IF NOT EXISTS ${quoteTable(table)} (${columns.join(", ")})` };
}
