import { login } from "../../lib/contract/login.ts";
import { openDatabase } from "../../lib/store/postgres/database.ts";
import { migrate } from "../../lib/store/postgres/migrate.ts";
import { createTable } from "../../lib/store/postgres/sql/rows.ts";
import { toStoredTable } from "../../lib/worker/contract.ts";
import type { Contestant } from "./contestant.ts";

/** Creates the tables that a contestant writes to: all of Maskline's, or only the exercise's table. */
export async function createTables(url: string, schema: Contestant["schema"]): Promise<void> {
  const database = openDatabase({ url: new URL(url), connections: 1, statementSeconds: 60 });
  const table = toStoredTable(login);
  try {
    if (schema === "maskline") await migrate(database, table);
    else await database.query(createTable(table));
  } finally {
    await database.close();
  }
}
