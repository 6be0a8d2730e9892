import { OperationError } from "../base/errors.ts";
import type { Io } from "../cli/command.ts";
import { readSettings, type Settings } from "../config/read_settings.ts";
import type { SettingName } from "../config/settings.ts";
import {
  checkSchema,
  durabilityWarnings,
  expectVaultHere,
} from "../store/postgres/check_schema.ts";
import { type Database, openDatabase, type Queryable } from "../store/postgres/database.ts";
import { PostgresStore } from "../store/postgres/postgres_store.ts";
import type { StoredTable } from "../store/postgres/target_table.ts";
import { VaultFirstStore } from "../store/postgres/vault_first_store.ts";
import type { Store } from "../store/store.ts";
import type { WorkerSettings } from "./settings.ts";

/**
 * Opens a database of the settings with one connection, as commands other than the worker's need it.
 *
 * @throws {OperationError} there is no URL: the command did not say that it needs one
 */
export function openOne(
  url: URL | undefined,
  { STATEMENT_SECONDS: statementSeconds }: Pick<Settings, "STATEMENT_SECONDS">,
): Database {
  if (!url) throw new OperationError("DATABASE_URL is not set");
  return openDatabase({ url, connections: 1, statementSeconds });
}

/**
 * Opens the database of the settings with one connection, for a command that needs nothing else, and
 * closes it again whatever happens.
 *
 * @throws {SettingsError} `DATABASE_URL` is not set, or a setting is wrong
 */
export async function withDatabase<T>(
  io: Io,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const settings = readSettings(io.source, ["DATABASE_URL"]);
  const database = openOne(settings.DATABASE_URL, settings);
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

/** The databases of the settings, for the commands of a custodian and of the owner. */
export interface Databases {
  readonly settings: Settings;
  /** The database of the rows, the ledger and the rejections. */
  readonly database: Database;
  /** The database of the vault and the audit: the same one unless VAULT_DATABASE_URL is set. */
  readonly vault: Database;
}

/**
 * Opens the databases of the settings with one connection each, for a command that needs both, and closes
 * them whatever happens.
 *
 * @param needs settings without which the command cannot work, besides DATABASE_URL
 * @throws {SettingsError} one of them is not set, or a setting is wrong
 * @throws {StoreError} the vault is in another database, which is not named; or no answer
 */
export async function withDatabases<T>(
  io: Io,
  needs: readonly SettingName[],
  work: (databases: Databases) => Promise<T>,
): Promise<T> {
  const settings = readSettings(io.source, ["DATABASE_URL", ...needs]);
  const { DATABASE_URL, VAULT_DATABASE_URL } = settings;
  const database = openOne(DATABASE_URL, settings);
  const vault = VAULT_DATABASE_URL ? openOne(VAULT_DATABASE_URL, settings) : database;
  try {
    if (vault === database) await expectVaultHere(database);
    return await work({ settings, database, vault });
  } finally {
    await database.close();
    if (vault !== database) await vault.close();
  }
}

/** What the commands work with that need the vault or the audit, and no rows. */
export interface WithVault {
  readonly settings: Settings;
  readonly vault: Database;
}

/**
 * Opens the database of the vault and the audit with one connection, and closes it whatever happens: that
 * of VAULT_DATABASE_URL, or else of DATABASE_URL. So whoever may reveal needs no way to the rows.
 *
 * @param needs settings without which the command cannot work, besides that URL
 * @throws {SettingsError} one of them is not set, or a setting is wrong
 */
export async function withVault<T>(
  io: Io,
  needs: readonly SettingName[],
  work: (opened: WithVault) => Promise<T>,
): Promise<T> {
  const { get } = io.source;
  // By what was given and not by what was read: a URL that is wrong is not one that is missing.
  const apart = get("VAULT_DATABASE_URL") || get("VAULT_DATABASE_URL_FILE");
  const settings = readSettings(io.source, apart ? needs : [...needs, "DATABASE_URL"]);
  const { VAULT_DATABASE_URL, DATABASE_URL } = settings;
  const vault = openOne(VAULT_DATABASE_URL ?? DATABASE_URL, settings);
  try {
    if (!VAULT_DATABASE_URL) await expectVaultHere(vault);
    return await work({ settings, vault });
  } finally {
    await vault.close();
  }
}

/**
 * Writes vault and audit for a transaction on `databases.database`. Where they are in that database they
 * commit with it; in one of their own they commit together, and before it: a trace of what was then not
 * done, or an original without its row, does less harm than the reverse.
 */
export function vaultWithin<T>(
  { database, vault }: Databases,
  connection: Queryable,
  work: (vault: Queryable) => Promise<T>,
): Promise<T> {
  return vault === database ? work(connection) : vault.transaction(work);
}

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
