import type { Migration } from "./migrations.ts";

/**
 * Rows that were removed from the target table on purpose, so that the books can still be told from the
 * tables: committed = rows + removed.
 */
export const removed: Migration = {
  version: 6,
  name: "removed",
  sql: `
CREATE TABLE maskline.removed (
  at timestamptz NOT NULL DEFAULT now(),
  why text NOT NULL,
  rows bigint NOT NULL
);`,
};
