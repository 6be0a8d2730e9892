import { statement } from "../statement.ts";

/**
 * Who did what with originals, when and why. Entries are added by `note_audit` alone, which runs with its
 * owner's rights. It takes the role from the session and the time from the server, so that a custodian can
 * neither change an entry nor write one in another name (`os_user` is reported by the client, unverified).
 *
 * Each entry has the hash of the one before it: SHA-256 over that hash and the entry's columns as netstrings
 * (https://cr.yp.to/proto/netstrings.txt), `-,` for NULL. `lib/custody/verify_audit.ts` computes the same on
 * its own. The trigger prevents the owner too from changing entries by mistake. If an owner drops it, the chain
 * shows the change.
 */
export const audit = {
  version: 5,
  name: "audit",
  statement: statement(`
CREATE TABLE maskline.reveal_audit (
  number bigint PRIMARY KEY,
  at timestamptz NOT NULL,
  role text NOT NULL,
  os_user text,
  action text NOT NULL,
  field text,
  mask text,
  reason text,
  ticket text,
  detail text,
  before bytea NOT NULL,
  hash bytea NOT NULL
);

CREATE FUNCTION maskline.netstring(part text) RETURNS bytea
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN part IS NULL THEN '-,'::bytea ELSE
    convert_to(octet_length(convert_to(part, 'UTF8')) || ':' || part || ',', 'UTF8') END
$$;

CREATE FUNCTION maskline.note_audit(
  os_user text, action text, fields text[], masks text[], reason text, ticket text, detail text
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  entry maskline.reveal_audit;
  position integer;
BEGIN
  -- One writer at a time, until its transaction ends: a chain has one end. "audi" in ASCII.
  PERFORM pg_advisory_xact_lock(1635083369);
  SELECT * INTO entry FROM maskline.reveal_audit ORDER BY number DESC LIMIT 1;
  IF NOT FOUND THEN
    entry.number := 0;
    entry.hash := decode(repeat('00', 32), 'hex');
  END IF;
  FOR position IN 1 .. cardinality(fields) LOOP
    entry.number := entry.number + 1;
    entry.at := clock_timestamp();
    entry.role := session_user;
    entry.os_user := note_audit.os_user;
    entry.action := note_audit.action;
    entry.field := fields[position];
    entry.mask := masks[position];
    entry.reason := note_audit.reason;
    entry.ticket := note_audit.ticket;
    entry.detail := note_audit.detail;
    entry.before := entry.hash;
    entry.hash := sha256(
      entry.before || maskline.netstring(entry.number::text) ||
      maskline.netstring(to_char(entry.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) ||
      maskline.netstring(entry.role) || maskline.netstring(entry.os_user) ||
      maskline.netstring(entry.action) || maskline.netstring(entry.field) ||
      maskline.netstring(entry.mask) || maskline.netstring(entry.reason) ||
      maskline.netstring(entry.ticket) || maskline.netstring(entry.detail)
    );
    INSERT INTO maskline.reveal_audit VALUES (entry.*);
  END LOOP;
END $$;

CREATE FUNCTION maskline.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'the audit is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON maskline.reveal_audit
FOR EACH STATEMENT EXECUTE FUNCTION maskline.refuse_change();

REVOKE ALL ON FUNCTION maskline.note_audit(text, text, text[], text[], text, text, text) FROM PUBLIC;`),
};
