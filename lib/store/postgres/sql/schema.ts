/**
 * `maskline.migrations (version integer PRIMARY KEY, name text, applied_at timestamptz)`: a row for each
 * migration that was applied.
 *
 * @module
 */
import { statement } from "../statement.ts";

/** Reads whether the table of migrations exists. */
export const findMigrations = statement(
  `SELECT to_regclass('maskline.migrations') IS NOT NULL AS present`,
);

/** Reads the newest migration that was applied; 0 before the first. */
export const schemaVersion = statement(
  `SELECT coalesce(max(version), 0)::integer AS version FROM maskline.migrations`,
);

/**
 * Locks out other migrators until the transaction ends. The number is Maskline's own, "mask" in ASCII, and
 * `grants.ts` takes the same lock.
 */
export const lockMigrations = statement(`SELECT pg_advisory_xact_lock(1835102059)`);

/** Creates the schema and its table of migrations. */
export const createMigrations = statement(`
CREATE SCHEMA IF NOT EXISTS maskline;
CREATE TABLE IF NOT EXISTS maskline.migrations (
  version integer PRIMARY KEY,
  name text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
)`);

/** Records the migration `$1` with the name `$2` as applied. */
export const recordMigration = statement(
  `INSERT INTO maskline.migrations (version, name) VALUES ($1::integer, $2::text)`,
);
