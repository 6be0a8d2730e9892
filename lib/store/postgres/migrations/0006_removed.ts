import { statement } from "../statement.ts";

/**
 * Rows that were removed from the target table on purpose, so that the counters can still be checked against
 * the tables: committed = rows + removed.
 */
export const removed = {
  version: 6,
  name: "removed",
  statement: statement(`
CREATE TABLE maskline.removed (
  at timestamptz NOT NULL DEFAULT now(),
  why text NOT NULL,
  rows bigint NOT NULL
);`),
};
