import type { Statement } from "../postgres.ts";

/** The ids of open rejections with a reason, the oldest first; at most so many, all of them where null. */
export const openRejectedIds: Statement = {
  text: `
SELECT message_id FROM maskline.rejected
WHERE status = 'open' AND reason = $1::text
ORDER BY sent_at, message_id
LIMIT $2::integer`,
};
