/**
 * What the catalog of Postgres (`pg_class`, `pg_attribute`, `pg_inherits`) knows of a table.
 *
 * @module
 */
import { statement } from "../statement.ts";

/** Reads the columns of the table `$1`.`$2` and their types, as `varchar(128)`; none if it does not exist. */
export const readTableColumns = statement(`
SELECT attname AS name,
  replace(format_type(atttypid, atttypmod), 'character varying', 'varchar') AS type
FROM pg_attribute
WHERE attrelid = to_regclass(format('%I.%I', $1::text, $2::text)) AND attnum > 0 AND NOT attisdropped`);

/** Reads the columns of the table `$1`.`$2` that must not be null. */
export const notNullColumns = statement(`
SELECT attname AS name FROM pg_attribute
WHERE attrelid = to_regclass(format('%I.%I', $1::text, $2::text))
  AND attnum > 0 AND NOT attisdropped AND attnotnull`);

/**
 * Counts the blocks of the table `$1`.`$2`, or of its largest partition, and the tables: the partitions and their
 * parent, or 1 without partitions.
 */
export const countBlocks = statement(`
WITH RECURSIVE part (relid) AS (
  SELECT to_regclass(format('%I.%I', $1::text, $2::text))::oid
  UNION ALL
  SELECT inhrelid FROM pg_inherits JOIN part ON inhparent = relid
)
SELECT
  coalesce(max(pg_relation_size(relid) / current_setting('block_size')::bigint), 0)
    ::double precision AS blocks,
  count(*)::integer AS parts
FROM part`);
