import { countRowMasks, type RowMaskCount } from "../../store/sql/count_row_masks.ts";
import { findOriginals } from "../../store/sql/find_originals.ts";
import { walkBlocks } from "../../store/walk_blocks.ts";
import { type Rotation, throwIfStopped } from "./rotation.ts";

/** Rows of one masked column, by the key of their mask. */
export interface RowCount {
  readonly field: string;
  /** The key's id; null for what is no mask of Maskline. */
  readonly key: string | null;
  readonly rows: number;
  /** Of those, the ones whose original is not in the vault. Always 0 for a key that is not asked for. */
  readonly withoutOriginal: number;
}

/** Blocks at once: some 25,000 rows. A guess. */
const BLOCKS_PER_RANGE = 500;

/**
 * Counts the rows of the target table by masked column and mask key, in one walk over it.
 *
 * @param old keys whose masks are looked up in the vault
 */
export async function countRows(
  { database, vault, table, io }: Rotation,
  old: readonly string[],
): Promise<RowCount[]> {
  const counts = new Map<string, { -readonly [Name in keyof RowCount]: RowCount[Name] }>();
  const statement = countRowMasks(table);
  for await (const { from, end } of walkBlocks(database, table, BLOCKS_PER_RANGE)) {
    throwIfStopped(io);
    const found = await database.query<RowMaskCount>(statement, [from, end, old]);
    const masks = found.filter(({ mask }) => mask !== null);
    const missing = await withoutOriginal(vault, masks);
    for (const row of found) {
      const { field, key_id: key, rows } = row;
      const name = `${field}\0${key ?? ""}`;
      const count = counts.get(name) ?? { field, key, rows: 0, withoutOriginal: 0 };
      count.rows += rows;
      if (missing.has(row)) count.withoutOriginal += rows;
      counts.set(name, count);
    }
  }
  return [...counts.values()].sort((a, b) =>
    a.field.localeCompare(b.field) || (a.key ?? "").localeCompare(b.key ?? "")
  );
}

async function withoutOriginal(
  vault: Rotation["vault"],
  masks: readonly RowMaskCount[],
): Promise<ReadonlySet<RowMaskCount>> {
  if (masks.length === 0) return new Set();
  const present = await vault.query<{ field: string; mask: string }>(findOriginals, [
    masks.map(({ field }) => field),
    masks.map(({ mask }) => mask),
  ]);
  const names = new Set(present.map(({ field, mask }) => `${field}\0${mask}`));
  return new Set(masks.filter(({ field, mask }) => !names.has(`${field}\0${mask}`)));
}
