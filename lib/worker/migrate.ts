import { checkSchema } from "../store/postgres/check_schema.ts";
import { migrate } from "../store/postgres/migrate.ts";
import { markVaultElsewhere } from "../store/postgres/sql/vault.ts";
import { toStoredTable } from "./contract.ts";
import type { Databases } from "./databases.ts";

/** The names of the migrations that were applied to each database. */
export interface MigrationResult {
  readonly rows: readonly string[];
  /** Undefined unless the vault is in a database of its own. */
  readonly vault?: readonly string[];
}

/**
 * Creates or upgrades the tables in the databases of the settings, and checks that they fit.
 *
 * @throws {StoreError} a privilege is missing, an existing table does not fit, or a database does not answer
 */
export async function migrateDatabases(databases: Databases): Promise<MigrationResult> {
  const table = toStoredTable(databases.contract);
  const rows = await migrate(databases.database, table);
  await checkSchema(databases.database, table);
  if (!databases.isVaultApart) return { rows };
  const vault = await migrate(databases.vault);
  await checkSchema(databases.vault);
  await databases.database.query(markVaultElsewhere);
  return { rows, vault };
}
