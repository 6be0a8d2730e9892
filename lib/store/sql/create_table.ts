import type { Statement } from "../postgres.ts";
import { columnsOf, nameOf, quote, type StoredTable } from "../stored_table.ts";

/** Makes the target table where there is none; one that is there is taken as it is. */
export function createTable(table: StoredTable): Statement {
  const columns = columnsOf(table).map(({ name, type }) => `${quote(name)} ${type}`);
  return { text: `CREATE TABLE IF NOT EXISTS ${nameOf(table)} (${columns.join(", ")})` };
}
