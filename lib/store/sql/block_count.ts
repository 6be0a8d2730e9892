import type { Statement } from "../postgres.ts";

/**
 * How many blocks the table of the schema `$1` and the name `$2` has, or the largest of its partitions,
 * and how many tables that is, partitions and their parent; a table without any is one.
 */
export const blockCount: Statement = {
  text: `
WITH RECURSIVE part (relid) AS (
  SELECT to_regclass(format('%I.%I', $1::text, $2::text))::oid
  UNION ALL
  SELECT inhrelid FROM pg_inherits JOIN part ON inhparent = relid
)
SELECT
  coalesce(max(pg_relation_size(relid) / current_setting('block_size')::bigint), 0)
    ::double precision AS blocks,
  count(*)::integer AS parts
FROM part`,
};
