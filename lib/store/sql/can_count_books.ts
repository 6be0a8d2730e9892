import type { Statement } from "../postgres.ts";
import { quoteTable, type StoredTable } from "../stored_table.ts";

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
