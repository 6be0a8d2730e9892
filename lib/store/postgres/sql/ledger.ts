/**
 * `maskline.ledger (message_id text, date_sent date, outcome 'committed'|'rejected', batch uuid)`, primary key
 * (message_id, date_sent), a partition for each date sent: the messages that were committed or rejected.
 *
 * `maskline.dedupe (key text PRIMARY KEY, date_sent date)`: the events that were committed, by the key of
 * `DEDUPE_FIELD`. The statement of the hot path that writes both is in `batch.ts`.
 *
 * @module
 */
import { statement } from "../statement.ts";

/** Creates the ledger's partitions of the days `$1`, with the rights of the schema's owner. */
export const createLedgerDays = statement(`SELECT maskline.make_ledger_days($1::date[])`);

/**
 * Finds which of the messages `$1` (sent on `$2`) the batch `$3` itself committed, in an attempt whose answer
 * was lost.
 */
export const findOwnMessages = statement(`
SELECT message_id FROM maskline.ledger
WHERE (message_id, date_sent) IN (SELECT * FROM unnest($1::text[], $2::date[]))
  AND batch = $3::uuid`);

/** Finds which of the events `$1` (sent on `$2`, with the keys `$3`) were committed, by message id or by key. */
export const findKnownEvents = statement(`
SELECT id AS message_id
FROM unnest($1::text[], $2::date[], $3::text[]) AS event (id, sent, key)
WHERE EXISTS (SELECT FROM maskline.ledger WHERE message_id = id AND date_sent = sent)
  OR EXISTS (SELECT FROM maskline.dedupe WHERE dedupe.key = event.key)`);

/** Changes the outcome of the message `$1`, sent on `$2`, from rejected to committed. */
export const commitRejected = statement(`
UPDATE maskline.ledger SET outcome = 'committed'
WHERE message_id = $1::text AND date_sent = $2::date AND outcome = 'rejected'`);

/** Reads whether the message `$1` was rejected, on any day. Its body may be in a queue. */
export const findRejectedOutcome = statement(`
SELECT EXISTS (
  SELECT FROM maskline.ledger WHERE message_id = $1::text AND outcome = 'rejected'
) AS rejected`);

/** Reads whether any key of an event is stored, as with `DEDUPE_FIELD`. */
export const findKeys = statement(`SELECT EXISTS (SELECT FROM maskline.dedupe) AS present`);

/**
 * Stores the key `$1` of an event sent on `$2`. Returns no row if another event has the key; waits for a batch
 * that is storing it.
 */
export const storeKey = statement(`
INSERT INTO maskline.dedupe (key, date_sent) VALUES ($1::text, $2::date)
ON CONFLICT DO NOTHING
RETURNING key`);
