import { quoteIdentifier, quoteTable, type StoredTable } from "../target_table.ts";

/**
 * The script that makes the three roles and gives them what they need and nothing else: for people to
 * read, change and run, with whatever rights their Postgres wants for it. Running it again, as after an
 * upgrade, takes back what an older one gave too much. In one transaction, so that a worker never meets a
 * moment without its privileges.
 *
 * @param table none for a database that holds the vault alone
 */
export function grants(table?: StoredTable): string {
  return [
    HEAD,
    ...(table ? [BEGIN, takeBack(table), rows(table)] : [BEGIN, takeBack(), VAULT_ALONE]),
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
-- Making a role takes CREATEROLE; where the three are there already, nothing but ownership is needed.
-- Where the table of the rows has another owner, the lines that name it are for that one to run.
-- Roles belong to the whole server: who is a writer here is one in its other databases with Maskline too.
`;

const BEGIN = `\
BEGIN;

-- Groups that nobody logs in as. The lock is that of \`maskline migrate\`, in this database; in another
-- one a role may be made in the same moment.
DO $$
DECLARE
  wanted text;
BEGIN
  PERFORM pg_advisory_xact_lock(1835102059);
  FOREACH wanted IN ARRAY ARRAY['maskline_writer', 'maskline_reader', 'maskline_custodian'] LOOP
    IF to_regrole(wanted) IS NULL THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
      EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
      END;
    END IF;
  END LOOP;
END $$;
`;

const ALL_ROLES = "maskline_writer, maskline_reader, maskline_custodian";

function takeBack(table?: StoredTable): string {
  const target = table ? `\nREVOKE ALL ON ${quoteTable(table)} FROM ${ALL_ROLES};` : "";
  const books = table ? "\nREVOKE ALL ON FUNCTION maskline.count_books() FROM PUBLIC;" : "";
  return `\
-- Taken back first, so that what stands below is all that they have.
REVOKE ALL ON SCHEMA maskline FROM ${ALL_ROLES};
REVOKE ALL ON ALL TABLES IN SCHEMA maskline FROM ${ALL_ROLES};
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA maskline FROM ${ALL_ROLES};${target}

-- These run with their owner's rights. Functions are everybody's unless that is taken back; the others
-- of the schema do nothing that their caller may not do.
REVOKE ALL ON FUNCTION maskline.make_ledger_days(date[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION
  maskline.note_audit(text, text, text[], text[], text, text, text) FROM PUBLIC;${books}
`;
}

function rows(table: StoredTable): string {
  const target = quoteTable(table);
  const schema = quoteIdentifier(table.schema);
  return `\
-- The worker. It adds, and reads nothing but what tells it that a message, a key or a value is there
-- already: it sees neither rows nor sealed bytes, and who steals its password does not either.
GRANT USAGE ON SCHEMA maskline, ${schema} TO maskline_writer;
GRANT INSERT ON ${target} TO maskline_writer;
GRANT SELECT, INSERT ON maskline.ledger, maskline.dedupe TO maskline_writer;
GRANT INSERT ON maskline.rejected TO maskline_writer;
-- An original that is there stays; only the day on which it was last seen moves on.
GRANT SELECT (field, mask, last_seen), INSERT, UPDATE (last_seen) ON maskline.vault
  TO maskline_writer;
-- It checks the schema before it starts.
GRANT SELECT ON maskline.migrations TO maskline_writer;
-- A day's partition of the ledger, keys of rejected messages, the probe, \`check --books\`.
GRANT EXECUTE ON FUNCTION
  maskline.make_ledger_days(date[]),
  maskline.rejected_before(text[], date[]),
  maskline.assert_writable(),
  maskline.count_books()
  TO maskline_writer;

-- Analysts. They read rows with masks, and what was set aside and why, but nothing that is sealed.
GRANT USAGE ON SCHEMA maskline, ${schema} TO maskline_reader;
GRANT SELECT ON ${target}, maskline.ledger, maskline.migrations TO maskline_reader;
GRANT SELECT (message_id, sent_at, rejected_at, receive_count, reason, field, sqlstate, key_id, status)
  ON maskline.rejected TO maskline_reader;
GRANT EXECUTE ON FUNCTION maskline.assert_writable(), maskline.count_books() TO maskline_reader;

-- Custodians, who replay and discard what was set aside, forget a person and change the mask key.
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
-- The worker adds originals here, and reads nothing but what tells it that one is there already.
GRANT USAGE ON SCHEMA maskline TO maskline_writer;
GRANT SELECT (field, mask, last_seen), INSERT, UPDATE (last_seen) ON maskline.vault
  TO maskline_writer;
GRANT SELECT ON maskline.migrations TO maskline_writer;
GRANT EXECUTE ON FUNCTION maskline.assert_writable() TO maskline_writer;

-- Analysts have nothing to do here.

-- Custodians, who reveal, forget and change the mask key.
GRANT USAGE ON SCHEMA maskline TO maskline_custodian;
`;

const CUSTODIAN_OF_VAULT = `\
-- The vault is theirs. In the audit they add entries by its function alone, which takes role and time
-- from the server; they change none and delete none.
GRANT SELECT, INSERT, UPDATE, DELETE ON maskline.vault, maskline.rotation TO maskline_custodian;
GRANT SELECT ON maskline.reveal_audit, maskline.migrations TO maskline_custodian;
GRANT EXECUTE ON FUNCTION
  maskline.note_audit(text, text, text[], text[], text, text, text),
  maskline.assert_writable()
  TO maskline_custodian;
`;

const TAIL = `\
COMMIT;

-- Roles that log in are members of a group, for example:
--
--   CREATE ROLE app LOGIN PASSWORD '...';
--   GRANT maskline_writer TO app;
`;
