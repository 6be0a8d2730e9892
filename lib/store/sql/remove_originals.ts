import type { Statement } from "../postgres.ts";

/** Removes the originals of the fields `$1` and masks `$2` from the vault. */
export const removeOriginals: Statement = {
  text: `
DELETE FROM maskline.vault
WHERE (field, mask) IN (SELECT * FROM unnest($1::text[], $2::text[]))`,
};
