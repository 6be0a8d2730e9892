import type { Statement } from "../postgres.ts";

/** Rejected bodies by the vault key that they are sealed for. */
export interface RejectedKeyCount {
  readonly vault_key: string;
  readonly bodies: number;
}

/** Counts the bodies in a range of blocks of the rejections, `$1` up to before `$2`; not erased ones. */
export const countRejectedKeys: Statement = {
  text: `
SELECT key_id AS vault_key, count(*)::integer AS bodies
FROM maskline.rejected
WHERE ctid >= $1::tid AND ctid < $2::tid AND octet_length(sealed) > 0
GROUP BY 1`,
};
