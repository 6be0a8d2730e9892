import type { Statement } from "../postgres.ts";
import { nameOf, type StoredTable } from "../stored_table.ts";

/** The books as the database has them. Numbers come as text: a count may be beyond 2⁵³. */
export interface CountedBooks {
  readonly committed: string;
  readonly rejected: string;
  readonly rows: string;
  readonly set_aside: string;
}

/** Counts the ledger by outcome, the rows and the rejections, all in one snapshot. Reads whole tables. */
export function countBooks(table: StoredTable): Statement {
  return {
    text: `
SELECT
  (SELECT count(*) FROM maskline.ledger WHERE outcome = 'committed') AS committed,
  (SELECT count(*) FROM maskline.ledger WHERE outcome = 'rejected') AS rejected,
  (SELECT count(*) FROM ${nameOf(table)}) AS rows,
  (SELECT count(*) FROM maskline.rejected) AS set_aside`,
  };
}
