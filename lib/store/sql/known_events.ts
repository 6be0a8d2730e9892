import type { Statement } from "../postgres.ts";

/** Which of some events are on record: by their message id, or by their key where they have one. */
export const knownEvents: Statement = {
  text: `
SELECT id AS message_id
FROM unnest($1::text[], $2::date[], $3::text[]) AS event (id, sent, key)
WHERE EXISTS (SELECT FROM maskline.ledger WHERE message_id = id AND date_sent = sent)
  OR EXISTS (SELECT FROM maskline.dedupe WHERE dedupe.key = event.key)`,
};
