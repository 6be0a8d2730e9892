import type { Statement } from "../postgres.ts";

/** Whether the table of migrations is there at all. */
export const hasMigrations: Statement = {
  text: `SELECT to_regclass('maskline.migrations') IS NOT NULL AS present`,
};

/** The newest migration that was applied; 0 before the first. */
export const schemaVersion: Statement = {
  text: `SELECT coalesce(max(version), 0)::integer AS version FROM maskline.migrations`,
};
