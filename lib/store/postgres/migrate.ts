import type { Database } from "./database.ts";
import { migrations } from "./migrations/migrations.ts";
import { createCountersFunction } from "./sql/counters.ts";
import { createTable, tableColumns } from "./sql/rows.ts";
import { createMigrations, lockMigrations, recordMigration, schemaVersion } from "./sql/schema.ts";
import type { StoredTable } from "./target_table.ts";

/**
 * Makes or upgrades Maskline's schema, and the target table where it is missing; in one transaction,
 * so that a failure leaves everything as it was. Running it again does nothing.
 *
 * @param table none for a database that holds the vault alone
 * @returns the names of the migrations that were applied now
 * @throws {StoreError} a privilege is missing, or the database does not answer
 */
export function migrate(database: Database, table?: StoredTable): Promise<string[]> {
  return database.transaction(async (connection) => {
    await connection.query(lockMigrations);
    await connection.query(createMigrations);
    const [current] = await connection.query<{ version: number }>(schemaVersion);
    const missing = migrations.filter(({ version }) => version > (current?.version ?? 0));
    for (const { version, name, sql } of missing) {
      await connection.query({ text: sql });
      await connection.query(recordMigration, [version, name]);
    }
    if (table) {
      // Asked first: even where the table is there, making it takes the right to make tables.
      const columns = await connection.query(tableColumns, [table.schema, table.name]);
      if (columns.length === 0) await connection.query(createTable(table));
      await connection.query(createCountersFunction(table));
    }
    return missing.map(({ name }) => name);
  });
}
