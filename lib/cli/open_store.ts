import { checkSchema } from "../store/check_schema.ts";
import { expectVaultHere } from "../store/expect_vault_here.ts";
import { durabilityWarnings } from "../store/durability.ts";
import { type Database, openDatabase } from "../store/postgres.ts";
import { PostgresStore } from "../store/postgres_store.ts";
import type { Store } from "../store/store.ts";
import type { StoredTable } from "../store/stored_table.ts";
import { VaultFirstStore } from "../store/vault_first_store.ts";
import type { WorkerSettings } from "./settings.ts";

/** A store, and whether its database is fit for it. */
export interface OpenedStore {
  readonly store: Store;
  /**
   * Checks the database, and that of the vault where it is another one.
   *
   * @returns what is to be warned of, a sentence each
   * @throws {StoreError} `fatal`: it is not as wanted; `transient`: it does not answer
   */
  prepare(): Promise<string[]>;
}

/** Opens the store of the settings. Nothing is connected before the first call. */
export function openStore(
  settings: WorkerSettings,
  table: StoredTable,
  { dedupe }: { readonly dedupe: boolean },
): OpenedStore {
  const open = (url: URL): Database =>
    openDatabase({
      url,
      connections: settings.DATABASE_CONNECTIONS,
      statementSeconds: settings.STATEMENT_SECONDS,
    });
  const rows = open(settings.DATABASE_URL);
  const { VAULT, VAULT_DATABASE_URL } = settings;
  if (VAULT === "off" || !VAULT_DATABASE_URL) {
    const store = new PostgresStore(rows, table, { dedupe, vault: VAULT === "on" });
    return {
      store,
      async prepare() {
        const warnings = await prepare(rows, table);
        if (VAULT === "on") await expectVaultHere(rows);
        return warnings;
      },
    };
  }
  const vault = open(VAULT_DATABASE_URL);
  return {
    store: new VaultFirstStore({ store: new PostgresStore(rows, table, { dedupe }), rows, vault }),
    prepare: async () => [...await prepare(rows, table), ...await prepare(vault)],
  };
}

async function prepare(database: Database, table?: StoredTable): Promise<string[]> {
  await checkSchema(database, table);
  return await durabilityWarnings(database);
}
