import type { Statement } from "../postgres.ts";

/** Has the ledger tell that a message which was rejected is committed after all. */
export const commitRejected: Statement = {
  text: `
UPDATE maskline.ledger SET outcome = 'committed'
WHERE message_id = $1::text AND date_sent = $2::date AND outcome = 'rejected'`,
};
