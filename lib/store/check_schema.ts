import type { Database } from "./postgres.ts";
import { schemaVersionNeeded } from "./migrations/migrations.ts";
import { hasMigrations, schemaVersion } from "./sql/schema_version.ts";
import { tableColumns } from "./sql/table_columns.ts";
import { listColumns, quoteTable, type StoredTable } from "./stored_table.ts";
import { StoreError } from "./store.ts";

/**
 * Checks that the database is as this program needs it. Changes nothing.
 *
 * @param table none for a database that holds the vault alone
 * @throws {StoreError} `fatal`, with what is wrong and what mends it; `transient` without an answer
 */
export async function checkSchema(database: Database, table?: StoredTable): Promise<void> {
  const [migrated] = await database.query<{ present: boolean }>(hasMigrations);
  if (!migrated?.present) throw wrong("Maskline's tables are not there; run `maskline migrate`");
  const [{ version } = { version: 0 }] = await database.query<{ version: number }>(schemaVersion);
  if (version < schemaVersionNeeded) {
    throw wrong(
      `The schema is at version ${version}, wanted ${schemaVersionNeeded}; run \`maskline migrate\``,
    );
  }
  if (version > schemaVersionNeeded) {
    throw wrong(`The schema is at version ${version}, made for a newer Maskline than this one`);
  }
  if (table) await checkTable(database, table);
}

async function checkTable(database: Database, table: StoredTable): Promise<void> {
  const found = await database.query<{ name: string; type: string }>(tableColumns, [
    table.schema,
    table.name,
  ]);
  const types = new Map(found.map(({ name, type }) => [name, type]));
  const faults = listColumns(table).flatMap(({ name, type }) => {
    const actual = types.get(name);
    if (actual === type || (actual === "text" && type.startsWith("varchar"))) return [];
    return [`${name} is ${actual ?? "missing"}, wanted ${type}`];
  });
  if (faults.length > 0) {
    throw wrong(`The table ${quoteTable(table)} does not fit: ${faults.join("; ")}`);
  }
}

function wrong(message: string): StoreError {
  return new StoreError("fatal", "schema", message);
}
