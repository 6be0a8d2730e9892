import type { Settings } from "../config/read_settings.ts";
import { type Database, openDatabase } from "../store/postgres.ts";

/**
 * Opens a database of the settings with one connection, as commands other than the worker's need it.
 *
 * @throws {RangeError} there is no URL: the command did not say that it needs one
 */
export function openOne(
  url: URL | undefined,
  { STATEMENT_SECONDS: statementSeconds }: Pick<Settings, "STATEMENT_SECONDS">,
): Database {
  if (!url) throw new RangeError("DATABASE_URL is not set");
  return openDatabase({ url, connections: 1, statementSeconds });
}
