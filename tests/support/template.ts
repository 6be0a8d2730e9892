import { login } from "../../lib/contract/login.ts";
import { openDatabase } from "../../lib/store/postgres/database.ts";
import { migrate } from "../../lib/store/postgres/migrate.ts";
import { formatGrants } from "../../lib/store/postgres/sql/grants.ts";
import { toStoredTable } from "../../lib/worker/contract.ts";
import type { PostgresServer } from "./postgres_server.ts";
import { createTestDatabase, type TestDatabase } from "./test_database.ts";

/**
 * Creates the database that a run's migrated databases are copies of: migrated for the contract `login`,
 * with the three roles and their grants. The groups belong to the whole server, so they are there before
 * any test needs them, and no two tests create them in the same moment.
 */
export async function createTemplate(serverUrl: string): Promise<TestDatabase> {
  const template = await createTestDatabase(serverUrl, "template");
  await migrateWithGrants(template);
  return template;
}

/**
 * Creates a migrated database on a server: a copy of the run's template, which is several times cheaper
 * than to migrate. A file that runs alone, and a server of a test's own, have no template; then it
 * is migrated.
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
