/**
 * The counters that can be checked against the database: ledger = rows + removed rows + rejections.
 *
 * `maskline.removed (at timestamptz, why text, rows bigint)`: rows that were removed on purpose.
 * `maskline.count_books()` counts everything with its owner's rights.
 *
 * @module
 */
import { type Statement, statement } from "../statement.ts";
import { quoteLiteral, quoteTable, type StoredTable } from "../target_table.ts";

/** The counters as the database has them. Numbers are text, because a count may be beyond 2⁵³. */
export interface StoredCounters {
  readonly committed: string;
  readonly rejected: string;
  readonly rows: string;
  readonly removed: string;
  readonly rejections: string;
}

/**
 * Counts the ledger by outcome, the rows, those removed on purpose and the rejections that were not replayed,
 * in one snapshot. Reads whole tables.
 */
export const countCounters = statement(`
SELECT committed, rejected, rows, removed, set_aside AS rejections
FROM maskline.count_books()`);

/**
 * Creates the function that counts for roles that may not read what is counted: it runs with its owner's
 * rights and returns counts alone. `migrate` replaces it each time, because it names the target table; grants
 * on it stay. Other columns would need a migration that drops it first.
 *
 * One query, so one snapshot. The fixed `search_path` and the qualified names prevent a caller from running
 * own tables or functions with the owner's rights. It returns a set of one row: without a set Postgres would
 * start no parallel workers, as measured with 15 and 18.
 */
export function createCountersFunction(table: StoredTable): Statement {
  return statement(`
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
REVOKE ALL ON FUNCTION maskline.count_books() FROM PUBLIC`);
}

/** Who may count, as the database has it. */
export interface CountersAccess {
  /** The role with whose rights the function counts. */
  readonly owner: string;
  /** Whether the present role may call the function. */
  readonly allowed: boolean;
  /** Whether the owner may read the target table, which another role may own. */
  readonly sees: boolean;
}

/** Reads who may count; returns no row if the function is missing. */
export function readCountersAccess(table: StoredTable): Statement {
  return statement(`
SELECT pg_get_userbyid(proowner)::text AS owner,
  has_function_privilege(oid, 'EXECUTE') AS allowed,
  has_table_privilege(proowner, ${quoteLiteral(quoteTable(table))}, 'SELECT') AS sees
FROM pg_proc WHERE oid = to_regprocedure('maskline.count_books()')`);
}

/** Records why (`$1`) how many (`$2`) rows were removed. */
export const recordRemoved = statement(
  `INSERT INTO maskline.removed (why, rows) VALUES ($1::text, $2::bigint)`,
);
