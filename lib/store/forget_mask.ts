import { recordAudit } from "./audit.ts";
import {
  type ForgetJustification,
  type Forgetting,
  inBothTransactions,
  toFieldsAndMasks,
} from "./forget.ts";
import type { MaskedColumn } from "./masked_table.ts";
import { countCarriers } from "./sql/count_carriers.ts";
import { findOriginals, lockOriginals } from "./sql/find_originals.ts";
import { removeOriginals } from "./sql/remove_originals.ts";

/** What became of one mask. */
export interface ForgottenMask {
  /** There was an original, which is removed now (or would be). */
  readonly kept: boolean;
  /** Rows that have the mask; they stay. */
  readonly rows: number;
  /** Of how many people; null where the rows name nobody. */
  readonly users: number | null;
}

/**
 * Removes the original of one mask, whoever has it.
 *
 * @throws {StoreError | RangeError} nothing was removed
 */
export function forgetMask(
  forgetting: Forgetting,
  { field, column }: MaskedColumn,
  mask: string,
  { dryRun, ...why }: ForgetJustification,
): Promise<ForgottenMask> {
  return inBothTransactions(forgetting, { dryRun }, async (rows, vault) => {
    const lists = toFieldsAndMasks([{ field, mask }]);
    const kept = (await vault.query(dryRun ? findOriginals : lockOriginals, lists)).length > 0;
    const [counted] = await rows.query<{ rows: string; users: string | null }>(
      countCarriers(forgetting.table, column),
      [mask],
    );
    if (kept && !dryRun) await vault.query(removeOriginals, lists);
    const detail = `one mask; ${kept ? 1 : 0} removed; ${counted?.rows ?? 0} rows have it`;
    await recordAudit(vault, {
      ...why,
      action: "forget",
      subjects: [{ field, mask }],
      detail: dryRun ? `dry run; ${detail}` : detail,
    });
    const users = counted?.users ?? null;
    return { kept, rows: Number(counted?.rows ?? 0), users: users === null ? null : Number(users) };
  });
}
