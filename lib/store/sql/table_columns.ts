import type { Statement } from "../postgres.ts";

/** The columns of a table with their types, as `varchar(128)` or `integer`; none where it is missing. */
export const tableColumns: Statement = {
  text: `
SELECT attname AS name,
  replace(format_type(atttypid, atttypmod), 'character varying', 'varchar') AS type
FROM pg_attribute
WHERE attrelid = to_regclass(format('%I.%I', $1::text, $2::text)) AND attnum > 0 AND NOT attisdropped`,
};
