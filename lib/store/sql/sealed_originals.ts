import type { Statement } from "../postgres.ts";

/** An original as the vault keeps it. */
export interface SealedOriginal {
  readonly mask: string;
  readonly sealed: Uint8Array;
  /** The id of the vault key to which it was sealed. */
  readonly key_id: string;
}

/** The originals of these masks in a field; those that are kept, in no order. */
export const sealedOriginals: Statement = {
  text: `
SELECT mask, sealed, key_id
FROM maskline.vault
WHERE field = $1::text AND mask = ANY ($2::text[])`,
};
