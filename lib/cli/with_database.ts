import { readSettings } from "../config/read_settings.ts";
import type { Database } from "../store/postgres.ts";
import type { Io } from "./command.ts";
import { openOne } from "./open_one.ts";

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
