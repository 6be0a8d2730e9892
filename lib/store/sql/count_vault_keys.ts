import type { Statement } from "../postgres.ts";
import { extractMaskKey } from "./mask_key_of.ts";

/** Entries of the vault by field, by the key of their mask and by the key that they are sealed for. */
export interface VaultKeyCount {
  readonly field: string;
  /** Null where what stands there is no mask. */
  readonly mask_key: string | null;
  readonly vault_key: string;
  readonly entries: number;
}

/** Counts the entries in a range of blocks of the vault, `$1` up to before `$2`. */
export const countVaultKeys: Statement = {
  text: `
SELECT field, ${
    extractMaskKey("mask")
  } AS mask_key, key_id AS vault_key, count(*)::integer AS entries
FROM maskline.vault
WHERE ctid >= $1::tid AND ctid < $2::tid
GROUP BY 1, 2, 3`,
};
