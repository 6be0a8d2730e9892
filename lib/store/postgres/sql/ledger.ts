import type { Statement } from "../database.ts";

/** Makes sure that the ledger has a partition a day; a function of the schema's owner does it. */
export const makeLedgerDays: Statement = {
  text: `SELECT maskline.make_ledger_days($1::date[])`,
};

/** Has the ledger tell that a message which was rejected is committed after all. */
export const commitRejected: Statement = {
  text: `
UPDATE maskline.ledger SET outcome = 'committed'
WHERE message_id = $1::text AND date_sent = $2::date AND outcome = 'rejected'`,
};

/** Whether the ledger has a message as rejected, on whatever day: its body may be elsewhere. */
export const wasRejected: Statement = {
  text: `
SELECT EXISTS (
  SELECT FROM maskline.ledger WHERE message_id = $1::text AND outcome = 'rejected'
) AS rejected`,
};

/** Whether keys of events are kept at all, as with `DEDUPE_FIELD`. */
export const hasKeys: Statement = {
  text: `SELECT EXISTS (SELECT FROM maskline.dedupe) AS present`,
};

/** Takes the key of one event. No row where somebody has it; waits for a batch that is taking it. */
export const takeKey: Statement = {
  text: `
INSERT INTO maskline.dedupe (key, date_sent) VALUES ($1::text, $2::date)
ON CONFLICT DO NOTHING
RETURNING key`,
};
