import type { Statement } from "../postgres.ts";

/** An entry of the vault. */
export interface SealedEntry {
  readonly field: string;
  readonly mask: string;
  readonly sealed: Uint8Array<ArrayBuffer>;
  /** The vault key that it is sealed for. */
  readonly key_id: string;
}

/** Entries in a range of blocks (`$1` up to before `$2`) whose mask another key than `$3` made. */
export const entriesOfOtherMaskKeys: Statement = {
  text: `
SELECT field, mask, sealed, key_id FROM maskline.vault
WHERE ctid >= $1::tid AND ctid < $2::tid AND split_part(mask, '.', 1) <> $3::text`,
};

/** Entries in a range of blocks (`$1` up to before `$2`) that are sealed for another key than `$3`. */
export const entriesOfOtherVaultKeys: Statement = {
  text: `
SELECT field, mask, sealed, key_id FROM maskline.vault
WHERE ctid >= $1::tid AND ctid < $2::tid AND key_id <> $3::text`,
};
