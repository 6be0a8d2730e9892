import type { Statement } from "../postgres.ts";

/** Whether the ledger has a message as rejected, on whatever day: its body may be elsewhere. */
export const wasRejected: Statement = {
  text: `
SELECT EXISTS (
  SELECT FROM maskline.ledger WHERE message_id = $1::text AND outcome = 'rejected'
) AS rejected`,
};
