import { statement } from "../statement.ts";

/**
 * The keys of events, for `DEDUPE_FIELD`. An event that is resent on another day has another date, and a unique
 * index over partitions would have to contain the date. So this table has no partitions, and `date_sent` is for
 * deleting old keys.
 *
 * `rejected_before` fixes its own plan. A plan from the time when the day's partition was nearly empty would
 * read the whole partition for every message, until the table is analyzed.
 */
export const dedupe = {
  version: 3,
  name: "dedupe",
  statement: statement(`
CREATE TABLE maskline.dedupe (
  key text COLLATE "C" PRIMARY KEY,
  date_sent date NOT NULL
);

CREATE FUNCTION maskline.rejected_before(ids text[], days date[]) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
  SELECT message_id FROM unnest(ids, days) AS member (id, day)
  JOIN maskline.ledger ON message_id = id AND date_sent = day
  WHERE outcome = 'rejected'
$$;`),
};
