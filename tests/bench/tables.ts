import { toStoredTable } from "../../lib/cli/stored_table_of.ts";
import { login } from "../../lib/event/login.ts";
import { migrate } from "../../lib/store/migrate.ts";
import { openDatabase } from "../../lib/store/postgres.ts";
import { createTable } from "../../lib/store/sql/create_table.ts";
import type { Contestant } from "./contestant.ts";

/** Makes what a contestant writes to: Maskline's own tables as well, or the exercise's table alone. */
export async function makeTables(url: string, schema: Contestant["schema"]): Promise<void> {
  const database = openDatabase({ url: new URL(url), connections: 1, statementSeconds: 60 });
  const table = toStoredTable(login);
  try {
    if (schema === "maskline") await migrate(database, table);
    else await database.query(createTable(table));
  } finally {
    await database.close();
  }
}
