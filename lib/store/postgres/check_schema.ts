import { StoreError } from "../store.ts";
import type { Database, Queryable } from "./database.ts";
import { schemaVersionNeeded } from "./migrations/migrations.ts";
import { tableColumns } from "./sql/rows.ts";
import { hasMigrations, schemaVersion } from "./sql/schema.ts";
import { synchronousCommit } from "./sql/session.ts";
import { vaultIsElsewhere } from "./sql/vault.ts";
import { listColumns, quoteTable, type StoredTable } from "./target_table.ts";

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

/**
 * Refuses a database whose vault is another one, where that other one was not named: originals would be
 * sealed into the wrong place, or looked for there and not found, and what is removed then is lost.
 *
 * @throws {StoreError} `fatal`: VAULT_DATABASE_URL must be set
 */
export async function expectVaultHere(database: Queryable): Promise<void> {
  const [found] = await database.query<{ elsewhere: boolean }>(vaultIsElsewhere);
  if (!found?.elsewhere) return;
  throw new StoreError(
    "fatal",
    "schema",
    "The vault of these rows is in a database of its own; set VAULT_DATABASE_URL",
  );
}

/**
 * What of the database's settings breaks the promise that nothing is lost, a sentence each. With
 * `synchronous_commit` off Postgres answers before a commit is written down, so its crash takes rows
 * whose messages are deleted (https://www.postgresql.org/docs/current/wal-async-commit.html).
 */
export async function durabilityWarnings(database: Queryable): Promise<string[]> {
  const [setting] = await database.query<{ value: string }>(synchronousCommit);
  return setting?.value === "off"
    ? [
      "synchronous_commit is off: a crash of Postgres loses rows whose messages are deleted already",
    ]
    : [];
}
