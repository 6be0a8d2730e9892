import type { Database } from "./database.ts";
import { migrations } from "./migrations/migrations.ts";
import { readTableColumns } from "./sql/catalog.ts";
import { createCountersFunction } from "./sql/counters.ts";
import { createTable } from "./sql/rows.ts";
import { createMigrations, lockMigrations, recordMigration, schemaVersion } from "./sql/schema.ts";
import type { StoredTable } from "./target_table.ts";

/**
 * Creates or upgrades Maskline's schema, and creates the target table if it does not exist. It is one
 * transaction, so that a failure changes nothing. Running it again does nothing.
 *
 * @param table undefined for a database that has the vault alone
 * @returns the names of the migrations that were applied
 * @throws {StoreError} a privilege is missing, or the database does not answer
 */
export function migrate(database: Database, table?: StoredTable): Promise<string[]> {
  return database.transaction(async (connection) => {
    await connection.query(lockMigrations);
    await connection.query(createMigrations);
    const [current] = await connection.query<{ version: number }>(schemaVersion);
    const missing = migrations.filter(({ version }) => version > (current?.version ?? 0));
    for (const { version, name, statement } of missing) {
      await connection.query(statement);
      await connection.query(recordMigration, [version, name]);
    }
    if (table) {
      // CREATE TABLE IF NOT EXISTS needs the privilege to create tables even if the table exists.
      const columns = await connection.query(readTableColumns, [table.schema, table.name]);
      if (columns.length === 0) await connection.query(createTable(table));
      await connection.query(createCountersFunction(table));
    }
    return missing.map(({ name }) => name);
  });
}
