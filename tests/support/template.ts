import { login } from "../../lib/contract/login.ts";
import { openDatabase } from "../../lib/store/postgres/database.ts";
import { migrate } from "../../lib/store/postgres/migrate.ts";
import { formatGrants } from "../../lib/store/postgres/sql/grants.ts";
import { toStoredTable } from "../../lib/worker/contract.ts";
import type { PostgresServer } from "./postgres_server.ts";
import { createTestDatabase, type TestDatabase } from "./test_database.ts";

/**
 * Creates the database of which a run's migrated databases are copies. It is migrated for the contract
 * `login` and has the three roles and their grants. The roles belong to the whole server, so they exist
 * before a test needs them, and no two tests create them at the same time.
 */
export async function createTemplate(serverUrl: string): Promise<TestDatabase> {
  const template = await createTestDatabase(serverUrl, "template");
  await migrateWithGrants(template);
  return template;
}

/**
 * Creates a migrated database on a server: a copy of the run's template, which is several times cheaper
 * than a migration. A single file and a test's own server have no template. Then the database is migrated.
 */
export async function createMigratedDatabase(
  server: PostgresServer,
  prefix?: string,
): Promise<TestDatabase> {
  if (server.template) return await createTestDatabase(server.url, prefix, server.template);
  const database = await server.createDatabase(prefix);
  await migrateWithGrants(database);
  return database;
}

async function migrateWithGrants({ url, query }: TestDatabase): Promise<void> {
  const table = toStoredTable(login);
  const database = openDatabase({ url: new URL(url), connections: 1, statementSeconds: 20 });
  await migrate(database, table);
  await database.close();
  await query(formatGrants(table));
}
