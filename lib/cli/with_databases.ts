import { readSettings, type Settings } from "../config/read_settings.ts";
import type { SettingName } from "../config/settings.ts";
import { expectVaultHere } from "../store/expect_vault_here.ts";
import type { Database } from "../store/postgres.ts";
import type { Io } from "./command.ts";
import { openOne } from "./open_one.ts";

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
