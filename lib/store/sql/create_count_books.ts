import type { Statement } from "../postgres.ts";
import { quoteTable, type StoredTable } from "../stored_table.ts";

/**
 * Makes the function that counts the books for roles that may not read what is counted: with its owner's
 * rights, and telling counts alone. Made anew at each `migrate`, since it names the target table; what was
 * granted on it stays. Other columns need a migration that drops it first.
 *
 * One query, so one snapshot. The fixed `search_path` and the full names keep a caller from slipping own
 * tables or functions under the owner's rights. It gives a set of one row: without a set Postgres would
 * launch no parallel workers, as measured with 15 and 18.
 */
export function createCountersFunction(table: StoredTable): Statement {
  return {
    text: `
CREATE OR REPLACE FUNCTION maskline.count_books()
RETURNS TABLE (committed bigint, rejected bigint, rows bigint, removed bigint, set_aside bigint)
LANGUAGE sql STABLE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $books$
  SELECT
    (SELECT count(*) FROM maskline.ledger WHERE outcome = 'committed'),
    (SELECT count(*) FROM maskline.ledger WHERE outcome = 'rejected'),
    (SELECT count(*) FROM ${quoteTable(table)}),
    (SELECT coalesce(sum(removed.rows), 0)::bigint FROM maskline.removed),
    (SELECT count(*) FROM maskline.rejected WHERE status <> 'replayed')
$books$;
REVOKE ALL ON FUNCTION maskline.count_books() FROM PUBLIC`,
  };
}
