import type { Statement } from "../database.ts";

/** Whether the table of migrations is there at all. */
export const hasMigrations: Statement = {
  text: `SELECT to_regclass('maskline.migrations') IS NOT NULL AS present`,
};

/** The newest migration that was applied; 0 before the first. */
export const schemaVersion: Statement = {
  text: `SELECT coalesce(max(version), 0)::integer AS version FROM maskline.migrations`,
};

/** One migrator at a time; the number is Maskline's own, "mask" in ASCII. Held to the transaction's end. */
export const lockMigrations: Statement = { text: `SELECT pg_advisory_xact_lock(1835102059)` };

/** Where migrations are noted. */
export const createMigrations: Statement = {
  text: `
CREATE SCHEMA IF NOT EXISTS maskline;
CREATE TABLE IF NOT EXISTS maskline.migrations (
  version integer PRIMARY KEY,
  name text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
)`,
};

/** Notes a migration as done. */
export const recordMigration: Statement = {
  text: `INSERT INTO maskline.migrations (version, name) VALUES ($1::integer, $2::text)`,
};
