import type { TestDatabase } from "./test_database.ts";

/** Dumps the rows of all tables outside Postgres' own schemas as text, without the columns in `except`. */
export async function dumpText(
  database: TestDatabase,
  except: readonly string[] = [],
): Promise<string> {
  const tables = await database.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')`,
  );
  const texts: string[] = [];
  for (const { name } of tables) {
    const rows = await database.query<{ row: Record<string, unknown> }>(
      `SELECT to_jsonb(t) AS row FROM ${name} AS t`,
    );
    for (const { row } of rows) {
      for (const column of except) delete row[column];
      texts.push(`${name} ${JSON.stringify(row)}`);
    }
  }
  return texts.join("\n");
}
