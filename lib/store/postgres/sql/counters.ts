import type { Statement } from "../database.ts";
import { quoteTable, type StoredTable } from "../target_table.ts";

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

/** Who may count the books, as the database has it. */
export interface CountersAccess {
  /** The role whose rights the counting has. */
  readonly owner: string;
  /** Whether the present role may have it count. */
  readonly allowed: boolean;
  /** Whether the owner may read the target table, which another role may own. */
  readonly sees: boolean;
}

/** What counting the books takes; no row where the function is missing. */
export function canCountCounters(table: StoredTable): Statement {
  return {
    text: `
SELECT pg_get_userbyid(proowner)::text AS owner,
  has_function_privilege(oid, 'EXECUTE') AS allowed,
  has_table_privilege(proowner, '${quoteTable(table)}', 'SELECT') AS sees
FROM pg_proc WHERE oid = to_regprocedure('maskline.count_books()')`,
  };
}

/** Notes why (`$1`) so many (`$2`) rows were removed, for the books. */
export const recordRemoved: Statement = {
  text: `INSERT INTO maskline.removed (why, rows) VALUES ($1::text, $2::bigint)`,
};
