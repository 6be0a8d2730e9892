import type { Statement } from "../postgres.ts";
import { nameOf, type StoredTable } from "../stored_table.ts";

/**
 * Which of the privileges that the worker needs the present role lacks: none where all are there.
 *
 * @param dedupe whether the worker keeps the keys of events as well
 */
export function missingPrivileges(table: StoredTable, dedupe: boolean): Statement {
  const keys = `
  ('INSERT on maskline.dedupe', has_table_privilege('maskline.dedupe', 'INSERT')),
  ('SELECT on maskline.dedupe', has_table_privilege('maskline.dedupe', 'SELECT')),`;
  return {
    text: `
SELECT what FROM (VALUES
  ('INSERT on ${nameOf(table)}', has_table_privilege('${nameOf(table)}', 'INSERT')),
  ('INSERT on maskline.ledger', has_table_privilege('maskline.ledger', 'INSERT')),
  ('SELECT on maskline.ledger', has_table_privilege('maskline.ledger', 'SELECT')),
  ('INSERT on maskline.rejected', has_table_privilege('maskline.rejected', 'INSERT')),${
      dedupe ? keys : ""
    }
  ('EXECUTE on maskline.make_ledger_days',
    has_function_privilege('maskline.make_ledger_days(date[])', 'EXECUTE'))
) AS privilege (what, granted) WHERE NOT granted`,
  };
}
