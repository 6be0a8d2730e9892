import { quoteIdentifier, quoteTable, type StoredTable } from "../target_table.ts";

/**
 * Returns the script that creates the three roles with the privileges that they need and no others, for an
 * operator to read, change and run. Running it again, as after an upgrade, revokes what an older script granted
 * too much. It is one transaction, so that a running worker never lacks its privileges.
 *
 * @param table undefined for a database that has the vault alone
 */
export function formatGrants(table?: StoredTable): string {
  return [
    HEAD,
    ...(table ? [BEGIN, revokeAll(table), grantRows(table)] : [BEGIN, revokeAll(), VAULT_ALONE]),
    CUSTODIAN_OF_VAULT,
    TAIL,
  ].join("\n");
}

const HEAD = `\
-- The roles of Maskline, with the privileges that they need and no others. Run this as the owner of the
-- schema maskline, after \`maskline migrate\` and again after each upgrade:
--
--   maskline migrate --print-grants | psql -v ON_ERROR_STOP=1 "$DATABASE_URL"
--
-- Creating a role requires CREATEROLE. If the three roles exist already, ownership is enough.
-- If the table of the rows has another owner, that owner must run the lines that name it.
-- Roles belong to the whole server: a writer here is a writer in its other databases with Maskline too.
`;

const BEGIN = `\
BEGIN;

-- Groups without a login. The lock is that of \`maskline migrate\` in this database. In another database a
-- role may be created at the same moment.
DO $$
DECLARE
  role_name text;
BEGIN
  PERFORM pg_advisory_xact_lock(1835102059);
  FOREACH role_name IN ARRAY ARRAY['maskline_writer', 'maskline_reader', 'maskline_custodian'] LOOP
    IF to_regrole(role_name) IS NULL THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
      EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
      END;
    END IF;
  END LOOP;
END $$;
`;

const ALL_ROLES = "maskline_writer, maskline_reader, maskline_custodian";

function revokeAll(table?: StoredTable): string {
  const target = table ? `\nREVOKE ALL ON ${quoteTable(table)} FROM ${ALL_ROLES};` : "";
  const books = table ? "\nREVOKE ALL ON FUNCTION maskline.count_books() FROM PUBLIC;" : "";
  return `\
-- Everything is revoked first, so that the roles have only what is granted below.
REVOKE ALL ON SCHEMA maskline FROM ${ALL_ROLES};
REVOKE ALL ON ALL TABLES IN SCHEMA maskline FROM ${ALL_ROLES};
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA maskline FROM ${ALL_ROLES};${target}

-- These functions run with their owner's rights. PUBLIC may execute a function unless that is revoked. The
-- other functions of the schema do nothing that their caller may not do.
REVOKE ALL ON FUNCTION maskline.make_ledger_days(date[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION
  maskline.note_audit(text, text, text[], text[], text, text, text) FROM PUBLIC;${books}
`;
}

function grantRows(table: StoredTable): string {
  const target = quoteTable(table);
  const schema = quoteIdentifier(table.schema);
  return `\
-- The worker. It inserts, and reads only whether a message, a key or a value exists already. It can read
-- neither rows nor sealed bytes, and a stolen password of it cannot either.
GRANT USAGE ON SCHEMA maskline, ${schema} TO maskline_writer;
GRANT INSERT ON ${target} TO maskline_writer;
GRANT SELECT, INSERT ON maskline.ledger, maskline.dedupe TO maskline_writer;
GRANT INSERT ON maskline.rejected TO maskline_writer;
-- An original that exists is not replaced; only the day on which it was last seen changes.
GRANT SELECT (field, mask, last_seen), INSERT, UPDATE (last_seen) ON maskline.vault
  TO maskline_writer;
-- It checks the schema before it starts.
GRANT SELECT ON maskline.migrations TO maskline_writer;
-- For the partitions of the ledger, the keys of rejected messages, the probe and \`check --books\`.
GRANT EXECUTE ON FUNCTION
  maskline.make_ledger_days(date[]),
  maskline.rejected_before(text[], date[]),
  maskline.assert_writable(),
  maskline.count_books()
  TO maskline_writer;

-- Analysts. They read rows with masks, and which messages were rejected and why, but nothing sealed.
GRANT USAGE ON SCHEMA maskline, ${schema} TO maskline_reader;
GRANT SELECT ON ${target}, maskline.ledger, maskline.migrations TO maskline_reader;
GRANT SELECT (message_id, sent_at, rejected_at, receive_count, reason, field, sqlstate, key_id, status)
  ON maskline.rejected TO maskline_reader;
GRANT EXECUTE ON FUNCTION maskline.assert_writable(), maskline.count_books() TO maskline_reader;

-- Custodians. They replay and discard rejected messages, forget a person and rotate the mask key.
GRANT USAGE ON SCHEMA maskline, ${schema} TO maskline_custodian;
GRANT SELECT, INSERT, UPDATE, DELETE ON ${target} TO maskline_custodian;
GRANT SELECT, UPDATE (outcome) ON maskline.ledger TO maskline_custodian;
GRANT SELECT, UPDATE (status, sealed, key_id) ON maskline.rejected TO maskline_custodian;
GRANT SELECT, INSERT ON maskline.dedupe, maskline.removed TO maskline_custodian;
GRANT EXECUTE ON FUNCTION maskline.make_ledger_days(date[]), maskline.count_books()
  TO maskline_custodian;
`;
}

const VAULT_ALONE = `\
-- The worker inserts originals here, and reads only whether one exists already.
GRANT USAGE ON SCHEMA maskline TO maskline_writer;
GRANT SELECT (field, mask, last_seen), INSERT, UPDATE (last_seen) ON maskline.vault
  TO maskline_writer;
GRANT SELECT ON maskline.migrations TO maskline_writer;
GRANT EXECUTE ON FUNCTION maskline.assert_writable() TO maskline_writer;

-- Analysts need nothing here.

-- Custodians. They reveal, forget and rotate the mask key.
GRANT USAGE ON SCHEMA maskline TO maskline_custodian;
`;

const CUSTODIAN_OF_VAULT = `\
-- The vault is theirs. They add audit entries by its function alone, which takes role and time from the
-- server. They can neither change nor delete an entry.
GRANT SELECT, INSERT, UPDATE, DELETE ON maskline.vault, maskline.rotation TO maskline_custodian;
GRANT SELECT ON maskline.reveal_audit, maskline.migrations TO maskline_custodian;
GRANT EXECUTE ON FUNCTION
  maskline.note_audit(text, text, text[], text[], text, text, text),
  maskline.assert_writable()
  TO maskline_custodian;
`;

const TAIL = `\
COMMIT;

-- A role that logs in is a member of one of these groups, for example:
--
--   CREATE ROLE app LOGIN PASSWORD '...';
--   GRANT maskline_writer TO app;
`;
