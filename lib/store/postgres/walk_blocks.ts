import type { Queryable, Statement } from "./database.ts";

/** Blocks of a table, as conditions on `ctid` take them: from the first on, before the end. */
export interface BlockRange {
  readonly from: string;
  readonly end: string;
  /** The number of the block after the range, for progress. */
  readonly reached: number;
  /** How many blocks there were when the walk began. */
  readonly blocks: number;
}

/**
 * Walks a table in ranges of blocks, each small enough for a statement of its own: a statement over the
 * whole of a large table would outlast STATEMENT_SECONDS, and hold what it locks all the while. Postgres
 * reads a range of `ctid` without the rest from version 14 on; before, each range reads the whole table.
 *
 * What is added once the walk has begun may or may not be met. A row that is changed moves, so a walk
 * that changes rows is complete only once another one has found nothing to change.
 *
 * @param pages blocks a range, of 8 KiB each, shared by the partitions of a table that has some
 */
export async function* walkBlocks(
  database: Queryable,
  table: { readonly schema: string; readonly name: string },
  pages: number,
): AsyncGenerator<BlockRange> {
  const [size] = await database.query<{ blocks: number; parts: number }>(blockCount, [
    table.schema,
    table.name,
  ]);
  const { blocks, parts } = size ?? { blocks: 0, parts: 1 };
  const step = Math.max(1, Math.floor(pages / Math.max(1, parts)));
  for (let from = 0; from < blocks; from += step) {
    const reached = Math.min(blocks, from + step);
    yield { from: `(${from},0)`, end: `(${reached},0)`, reached, blocks };
  }
}

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
