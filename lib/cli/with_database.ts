import { readSettings, SettingsError } from "../config/read_settings.ts";
import { type Database, openDatabase } from "../store/postgres.ts";
import type { Io } from "./command.ts";

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
  const { DATABASE_URL, STATEMENT_SECONDS } = readSettings(io.source, ["DATABASE_URL"]);
  if (!DATABASE_URL) throw new SettingsError(["DATABASE_URL: is not set"]);
  const database = openDatabase({
    url: DATABASE_URL,
    connections: 1,
    statementSeconds: STATEMENT_SECONDS,
  });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}
