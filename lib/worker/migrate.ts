import { login } from "../contract/login.ts";
import { checkSchema } from "../store/postgres/check_schema.ts";
import { migrate } from "../store/postgres/migrate.ts";
import { formatGrants } from "../store/postgres/sql/grants.ts";
import { markVaultElsewhere } from "../store/postgres/sql/vault.ts";
import { toStoredTable } from "./contract.ts";
import type { Databases } from "./databases.ts";

/**
 * Creates or upgrades the tables in the databases of the settings, and checks that they fit.
 *
 * @param report takes the names of the migrations that were applied to each database, as soon as they committed
 * @throws {StoreError} a privilege is missing, an existing table does not fit, or a database does not answer
 */
export async function migrateDatabases(
  databases: Databases,
  report: (where: "rows" | "vault", applied: readonly string[]) => void,
): Promise<void> {
  const table = toStoredTable(databases.contract);
  report("rows", await migrate(databases.database, table));
  await checkSchema(databases.database, table);
  if (!databases.isVaultApart) return;
  report("vault", await migrate(databases.vault));
  await checkSchema(databases.vault);
  await databases.database.query(markVaultElsewhere);
}

/** Formats the SQL that creates the three roles in the database of the rows, or in one that has the vault alone. */
export function formatRoles(where: "rows" | "vault"): string {
  return formatGrants(where === "rows" ? toStoredTable(login) : undefined);
}
