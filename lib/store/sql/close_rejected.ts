import type { Statement } from "../postgres.ts";

/** Gives a rejection its last status and erases its body. */
export const closeRejected: Statement = {
  text: `
UPDATE maskline.rejected SET status = $2::text, sealed = ''::bytea
WHERE message_id = $1::text`,
};
