import type { Statement } from "../postgres.ts";

/** The books as the database has them. Numbers come as text: a count may be beyond 2⁵³. */
export interface StoredCounters {
  readonly committed: string;
  readonly rejected: string;
  readonly rows: string;
  readonly removed: string;
  readonly set_aside: string;
}

/**
 * Counts the ledger by outcome, the rows, those removed on purpose and the rejections that were not
 * replayed, all in one snapshot. Reads whole tables; a function of the schema's owner does it.
 */
export const countCounters: Statement = {
  text: `
SELECT committed, rejected, rows, removed, set_aside
FROM maskline.count_books()`,
};
