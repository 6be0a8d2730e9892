import { remaskRows as remaskRowsIn } from "../../store/sql/remask_rows.ts";
import { walkBlocks } from "../../store/walk_blocks.ts";
import type { Phase } from "./phase.ts";
import { assertLockHeld, type Rotation } from "./rotation.ts";
import { formatCount } from "../thousands.ts";

/** Blocks of the target table a transaction: some 10,000 rows. A guess. */
const TABLE_BLOCKS_PER_RANGE = 200;

/** Walks over the table before it is given up: two do where no worker makes masks of an old key. */
const MAX_WALKS = 6;

/**
 * The second phase: gives every row the new masks that are noted. Rows that are changed move to where
 * there is room, and have new masks there. Walks the table until nothing is left to change, so that no row
 * has an old mask that is noted when this resolves; but for those that a worker makes after it.
 *
 * @returns the rows that were changed
 * @throws {RangeError} each walk finds new ones: some worker still makes masks of an old key
 */
export async function remaskRows(rotation: Rotation, phase: Phase): Promise<number> {
  const { database, table } = rotation;
  const statement = remaskRowsIn(table);
  let rows = 0;
  for (let walk = 1; walk <= MAX_WALKS; walk++) {
    const before = rows;
    for await (
      const { from, end, reached, blocks } of walkBlocks(database, table, TABLE_BLOCKS_PER_RANGE)
    ) {
      await assertLockHeld(rotation);
      const [changed] = await database.query<{ rows: number }>(statement, [from, end]);
      rows += changed?.rows ?? 0;
      phase.at(`${formatCount(rows)} rows, walk ${walk}`, reached / blocks);
    }
    if (rows === before) return rows;
  }
  throw new RangeError(
    "Rows with masks of an old key keep coming: restart every worker with the new key first in " +
      "MASK_KEY, and run this again. Nothing has been removed",
  );
}
