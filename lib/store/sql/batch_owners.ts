import type { Statement } from "../postgres.ts";

/** Which of the given messages the given batch itself committed, in an attempt whose answer got lost. */
export const batchOwners: Statement = {
  text: `
SELECT message_id FROM maskline.ledger
WHERE (message_id, date_sent) IN (SELECT * FROM unnest($1::text[], $2::date[]))
  AND batch = $3::uuid`,
};
