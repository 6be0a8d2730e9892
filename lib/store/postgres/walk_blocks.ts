import type { Queryable } from "./database.ts";
import { countBlocks } from "./sql/catalog.ts";

/** A range of a table's blocks, as conditions on `ctid` take it: from the first block to before the end. */
export interface BlockRange {
  readonly from: string;
  readonly end: string;
  /** The number of the block after the range, for progress. */
  readonly reached: number;
  /** The number of blocks when the walk began. */
  readonly blocks: number;
}

/**
 * Walks a table in ranges of blocks, each small enough for a statement of its own. A statement over the whole of
 * a large table would last longer than STATEMENT_SECONDS, and keep its locks for that time. From version 14 on
 * Postgres reads a range of `ctid` alone; older versions read the whole table for each range.
 *
 * Rows that are stored after the walk began may or may not be seen. A row that is changed moves, so a walk that
 * changes rows is complete only when another walk finds nothing to change.
 *
 * @param pages blocks in a range, of 8 KiB each; the partitions of a table share them
 */
export async function* walkBlocks(
  database: Queryable,
  table: { readonly schema: string; readonly name: string },
  pages: number,
): AsyncGenerator<BlockRange> {
  const [size] = await database.query<{ blocks: number; parts: number }>(countBlocks, [
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
