import type { Statement } from "../postgres.ts";

/** Which of the fields `$1` and masks `$2` have an original. */
export const findOriginals: Statement = {
  text: `
SELECT field, mask FROM maskline.vault
WHERE (field, mask) IN (SELECT * FROM unnest($1::text[], $2::text[]))`,
};

/**
 * The same, and from now to the transaction's end no worker finds them there: one that brings a value
 * again waits. Whoever locks several does it in the order of the key, so that no two wait for each other.
 */
export const lockOriginals: Statement = {
  text: `${findOriginals.text} ORDER BY field, mask FOR UPDATE`,
};
