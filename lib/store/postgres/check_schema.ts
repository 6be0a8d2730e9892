import { StoreError } from "../store.ts";
import type { Database, Queryable } from "./database.ts";
import { schemaVersionNeeded } from "./migrations/migrations.ts";
import { readTableColumns } from "./sql/catalog.ts";
import { findMigrations, schemaVersion } from "./sql/schema.ts";
import { synchronousCommit } from "./sql/session.ts";
import { findForeignVault } from "./sql/vault.ts";
import { listColumns, quoteTable, type StoredTable } from "./target_table.ts";

/**
 * Checks that the database fits this program. Changes nothing.
 *
 * @param table undefined for a database that has the vault alone
 * @throws {StoreError} `fatal`, with what is wrong and how to fix it; `transient` without an answer
 */
export async function checkSchema(database: Database, table?: StoredTable): Promise<void> {
  const [migrated] = await database.query<{ present: boolean }>(findMigrations);
  if (!migrated?.present) {
    throw createSchemaError("Maskline's tables do not exist; run `maskline migrate`");
  }
  const [{ version } = { version: 0 }] = await database.query<{ version: number }>(schemaVersion);
  if (version < schemaVersionNeeded) {
    throw createSchemaError(
      `The schema has version ${version}, expected ${schemaVersionNeeded}; run \`maskline migrate\``,
    );
  }
  if (version > schemaVersionNeeded) {
    throw createSchemaError(
      `The schema has version ${version}, expected ${schemaVersionNeeded}: a newer Maskline upgraded it, use that one`,
    );
  }
  if (table) await checkTable(database, table);
}

async function checkTable(database: Database, table: StoredTable): Promise<void> {
  const found = await database.query<{ name: string; type: string }>(readTableColumns, [
    table.schema,
    table.name,
  ]);
  const types = new Map(found.map(({ name, type }) => [name, type]));
  const faults = listColumns(table).flatMap(({ name, type }) => {
    const actual = types.get(name);
    if (actual === type || (actual === "text" && type.startsWith("varchar"))) return [];
    return [`expected ${name} ${type}, got ${actual ?? "no such column"}`];
  });
  if (faults.length > 0) {
    throw createSchemaError(
      `The table ${quoteTable(table)} does not fit the contract: ${faults.join("; ")}`,
    );
  }
}

function createSchemaError(message: string): StoreError {
  return new StoreError("fatal", "schema", message);
}

/**
 * Refuses a database whose vault is in another database. Without VAULT_DATABASE_URL originals would be sealed
 * into the wrong database, or looked up there and not found.
 *
 * @throws {StoreError} `fatal`: VAULT_DATABASE_URL must be set
 */
export async function assertVaultHere(database: Queryable): Promise<void> {
  const [found] = await database.query<{ elsewhere: boolean }>(findForeignVault);
  if (!found?.elsewhere) return;
  throw new StoreError(
    "fatal",
    "schema",
    "The vault of these rows is in a database of its own; set VAULT_DATABASE_URL",
  );
}

/**
 * Lists the database's settings that break the promise that nothing is lost, a sentence each. With
 * `synchronous_commit` off Postgres answers before a commit is on disk, so a crash of it loses rows whose
 * messages are deleted already (https://www.postgresql.org/docs/current/wal-async-commit.html).
 */
export async function findDurabilityWarnings(database: Queryable): Promise<string[]> {
  const [setting] = await database.query<{ value: string }>(synchronousCommit);
  return setting?.value === "off"
    ? [
      "synchronous_commit is off: a crash of Postgres loses rows whose messages are deleted already",
    ]
    : [];
}
