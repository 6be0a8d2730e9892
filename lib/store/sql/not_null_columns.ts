import type { Statement } from "../postgres.ts";

/** The columns of a table that must not be null. */
export const notNullColumns: Statement = {
  text: `
SELECT attname AS name FROM pg_attribute
WHERE attrelid = to_regclass(format('%I.%I', $1::text, $2::text))
  AND attnum > 0 AND NOT attisdropped AND attnotnull`,
};
