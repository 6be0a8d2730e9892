import { statement } from "../statement.ts";

/**
 * The ledger, partitioned by the date sent so that old days are dropped instead of deleted.
 *
 * A worker may not change the schema, but a new day needs a partition. `make_ledger_days` runs with its owner's
 * rights and creates the days from 15 days ago (SQS keeps a message for at most 14) to tomorrow. Every other
 * date goes to the default partition, where lookups find it as well. The fixed `search_path` prevents a caller
 * from running own functions with the owner's rights.
 */
export const ledger = {
  version: 1,
  name: "ledger",
  statement: statement(`
CREATE TYPE maskline.outcome AS ENUM ('committed', 'rejected');

CREATE TABLE maskline.ledger (
  message_id text COLLATE "C" NOT NULL,
  date_sent date NOT NULL,
  outcome maskline.outcome NOT NULL,
  batch uuid NOT NULL,
  PRIMARY KEY (message_id, date_sent)
) PARTITION BY RANGE (date_sent);

CREATE TABLE maskline.ledger_other PARTITION OF maskline.ledger DEFAULT;

CREATE FUNCTION maskline.make_ledger_days(days date[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  day date;
  partition text;
BEGIN
  FOREACH day IN ARRAY days LOOP
    partition := 'ledger_' || to_char(day, 'YYYYMMDD');
    CONTINUE WHEN to_regclass('maskline.' || partition) IS NOT NULL
      OR day NOT BETWEEN (now() AT TIME ZONE 'UTC')::date - 15 AND (now() AT TIME ZONE 'UTC')::date + 1;
    BEGIN
      EXECUTE format(
        'CREATE TABLE maskline.%I PARTITION OF maskline.ledger FOR VALUES FROM (%L) TO (%L)',
        partition, day, day + 1
      );
    EXCEPTION
      -- Another worker created it at the same moment, or the default partition has rows of that day.
      WHEN duplicate_table OR unique_violation OR check_violation THEN NULL;
    END;
  END LOOP;
END $$;

CREATE FUNCTION maskline.assert_writable() RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' THEN
    RAISE EXCEPTION 'the database is read-only' USING ERRCODE = 'read_only_sql_transaction';
  END IF;
END $$;

REVOKE ALL ON FUNCTION maskline.make_ledger_days(date[]) FROM PUBLIC;`),
};
