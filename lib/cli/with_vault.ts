import { readSettings, type Settings } from "../config/read_settings.ts";
import type { SettingName } from "../config/settings.ts";
import { expectVaultHere } from "../store/expect_vault_here.ts";
import type { Database } from "../store/postgres.ts";
import type { Io } from "./command.ts";
import { openOne } from "./open_one.ts";

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
