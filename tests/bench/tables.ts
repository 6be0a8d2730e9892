import { login } from "../../lib/contract/login.ts";
import { openDatabase } from "../../lib/store/postgres/database.ts";
import { migrate } from "../../lib/store/postgres/migrate.ts";
import { createTable } from "../../lib/store/postgres/sql/rows.ts";
import { toStoredTable } from "../../lib/worker/contract.ts";
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
