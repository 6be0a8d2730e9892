import type { Statement } from "../postgres.ts";
import { quoteTable, type StoredTable } from "../stored_table.ts";

/** What the present role may do that a worker never does, each as "may …" goes on: none where all is well. */
export function unneededPrivileges(table?: StoredTable): Statement {
  const rows = table ? `has_any_column_privilege('${quoteTable(table)}', 'SELECT')` : "false";
  return {
    text: `
SELECT 'do anything, being a superuser' AS what
FROM pg_roles WHERE rolname = current_user AND rolsuper
UNION ALL
SELECT what FROM pg_roles, LATERAL (VALUES
  ('change the tables, being their owner',
    (SELECT pg_has_role(relowner, 'MEMBER') FROM pg_class WHERE oid = 'maskline.vault'::regclass)),
  ('read what is sealed in maskline.vault',
    has_column_privilege('maskline.vault', 'sealed', 'SELECT')),
  ('change what is sealed in maskline.vault',
    has_column_privilege('maskline.vault', 'sealed', 'UPDATE') OR
    has_table_privilege('maskline.vault', 'DELETE')),
  ('read what is sealed in maskline.rejected',
    has_column_privilege('maskline.rejected', 'sealed', 'SELECT')),
  ('read the rows', ${rows})
) AS privilege (what, granted)
WHERE rolname = current_user AND NOT rolsuper AND granted`,
  };
}
