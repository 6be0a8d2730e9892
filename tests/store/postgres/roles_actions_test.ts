import { statement } from "../../../lib/store/postgres/statement.ts";
import { deepStrictEqual, rejects, strictEqual } from "node:assert";
import { attempt, type Verdict } from "../../support/attempt.ts";
import { createLogins, type Role } from "../../support/logins.ts";
import { openSession } from "../../support/open_session.ts";
import { sharedPostgres } from "../../support/shared_postgres.ts";
import { createStore, dayAfter, open } from "../../support/test_store.ts";

const server = await sharedPostgres();
const roles: readonly Role[] = ["writer", "reader", "custodian"];

const vaultRow = "('ip', 'k1.x', '', 'v1', current_date, current_date)";
const recordEntry = "maskline.note_audit('u', 'reveal', '{ip}', '{k1.x}', 'why', NULL, NULL)";

/** Actions beyond single privileges: ways around them, and the daily work of the roles. */
const actions: readonly [role: Role, verdict: Verdict, statement: string][] = [
  ["writer", "allowed", "UPDATE maskline.vault SET last_seen = current_date WHERE mask = 'k1.x'"],
  [
    "writer",
    "allowed",
    `INSERT INTO maskline.vault VALUES ${vaultRow} ON CONFLICT (field, mask)
    DO UPDATE SET last_seen = excluded.last_seen`,
  ],
  [
    "writer",
    "denied",
    `INSERT INTO maskline.vault VALUES ${vaultRow} ON CONFLICT (field, mask)
    DO UPDATE SET sealed = excluded.sealed`,
  ],
  ["writer", "denied", `INSERT INTO maskline.vault VALUES ${vaultRow} RETURNING sealed`],
  ["writer", "denied", "SELECT * FROM maskline.vault"],
  ["writer", "denied", "SELECT vault FROM maskline.vault"],
  ["writer", "denied", "SELECT to_jsonb(vault) FROM maskline.vault"],
  ["writer", "denied", "SELECT mask FROM maskline.vault WHERE sealed > ''"],
  ["writer", "denied", "SELECT mask FROM maskline.vault ORDER BY octet_length(sealed)"],
  ["writer", "denied", "UPDATE maskline.vault SET last_seen = current_date RETURNING sealed"],
  ["writer", "denied", "UPDATE maskline.vault SET last_seen = current_date WHERE sealed > ''"],
  ["writer", "denied", "EXPLAIN SELECT sealed FROM maskline.vault"],
  ["writer", "denied", "COPY maskline.vault TO STDOUT"],
  ["writer", "denied", "COPY maskline.vault (sealed) TO STDOUT"],
  ["writer", "denied", "COPY maskline.rejected TO STDOUT"],
  ["writer", "denied", "SELECT count(*) FROM user_logins"],
  ["writer", "denied", "INSERT INTO user_logins (user_id) VALUES ('u') RETURNING user_id"],
  ["writer", "denied", "COPY user_logins TO STDOUT"],
  ["writer", "denied", `SELECT ${recordEntry}`],
  ["writer", "denied", "DO $$ BEGIN PERFORM number FROM maskline.reveal_audit; END $$"],
  ["reader", "denied", "SELECT * FROM maskline.rejected"],
  ["reader", "denied", "SELECT reason FROM maskline.rejected WHERE sealed > ''"],
  ["reader", "denied", "SELECT FROM maskline.vault"],
  ["reader", "denied", "SELECT FROM maskline.reveal_audit"],
  ["reader", "denied", "SELECT reason FROM maskline.rejected FOR UPDATE"],
  ["reader", "denied", `SELECT ${recordEntry}`],
  ["reader", "denied", "SELECT maskline.make_ledger_days(ARRAY[current_date])"],
  ["custodian", "allowed", "SELECT sealed FROM maskline.rejected FOR UPDATE"],
  ["custodian", "allowed", "SELECT field, mask, sealed, key_id FROM maskline.vault FOR UPDATE"],
  ["custodian", "allowed", "LOCK TABLE maskline.rotation IN SHARE MODE"],
  ["custodian", "allowed", `SELECT ${recordEntry}`],
  ["custodian", "denied", "UPDATE maskline.reveal_audit SET reason = 'another'"],
  ["custodian", "denied", "DELETE FROM maskline.reveal_audit"],
  ["custodian", "denied", "DELETE FROM maskline.reveal_audit WHERE false"],
  ["custodian", "denied", "SELECT number FROM maskline.reveal_audit FOR UPDATE"],
  ["custodian", "denied", "DROP TRIGGER append_only ON maskline.reveal_audit"],
  ["custodian", "denied", "ALTER TABLE maskline.reveal_audit DISABLE TRIGGER ALL"],
  ["custodian", "denied", "LOCK TABLE maskline.reveal_audit IN EXCLUSIVE MODE"],
  ["custodian", "denied", "UPDATE maskline.ledger SET date_sent = current_date"],
  ["custodian", "denied", "DELETE FROM maskline.rejected"],
  ["custodian", "denied", "INSERT INTO maskline.migrations VALUES (99, 'mine')"],
];

/** Actions that none of the three roles may do. */
const forbidden: readonly string[] = [
  "CREATE TABLE maskline.mine (a integer)",
  "CREATE VIEW maskline.mine AS SELECT 1 AS a",
  "CREATE FUNCTION maskline.mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
  "CREATE OR REPLACE FUNCTION maskline.count_books() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
  "ALTER FUNCTION maskline.count_books() RESET search_path",
  "ALTER FUNCTION maskline.note_audit SECURITY INVOKER",
  "CREATE SCHEMA mine",
  "CREATE EXTENSION pgcrypto",
  "DROP SCHEMA maskline CASCADE",
  "DROP TABLE maskline.ledger_other",
  "ALTER TABLE maskline.ledger DETACH PARTITION maskline.ledger_other",
  "ALTER TYPE maskline.outcome ADD VALUE 'mine'",
  "CREATE ROLE mine",
  "ALTER ROLE maskline_writer SUPERUSER",
  "SET ROLE pg_read_all_data",
  "SET SESSION AUTHORIZATION postgres",
  "SET session_replication_role = replica",
  "SET log_statement = 'none'",
  "COPY (SELECT 1) TO '/tmp/maskline_mine'",
  "COPY (SELECT 1) TO PROGRAM 'cat'",
  "SELECT pg_read_file('postgresql.conf')",
  "SELECT lo_import('/etc/passwd')",
  "SELECT rolpassword FROM pg_authid",
  "SELECT stavalues1 FROM pg_statistic",
];

/** Creates a database with a login in each role. */
async function withRoles() {
  const line = await createStore(server);
  const logins = await createLogins(server, line.inside);
  const dispose = async () => {
    await line[Symbol.asyncDispose]();
    await logins[Symbol.asyncDispose]();
  };
  return { ...line, logins, [Symbol.asyncDispose]: dispose };
}

for (const role of roles) {
  Deno.test(`a ${role} can do its work, and cannot avoid a limit, when it logs in with its role alone`, async () => {
    await using line = await withRoles();
    await using session = await openSession(line.logins.url(role));
    const others = roles.filter((other) => other !== role).map((other) => `maskline_${other}`);
    const [owner] = await line.inside.query<{ name: string }>("SELECT current_user AS name");
    const [version] = await line.inside.query<{ number: string }>(
      "SELECT current_setting('server_version_num') AS number",
    );
    const expected = [
      ...actions.filter(([who]) => who === role).map(([_, verdict, text]) => `${verdict} ${text}`),
      ...forbidden.map((text) => `denied ${text}`),
      ...[...others, `"${owner?.name}"`].map((other) => `denied SET ROLE ${other}`),
      ...others.map((other) => `denied GRANT ${other} TO CURRENT_USER`),
      // Before that version PUBLIC may do this, unless an administrator revokes it.
      ...(Number(version?.number) >= 150_000
        ? ["denied CREATE TABLE public.mine (a integer)"]
        : []),
    ];
    const found: string[] = [];
    for (const line of expected) {
      const statement = line.slice(line.indexOf(" ") + 1);
      found.push(`${await attempt(session, statement)} ${statement}`);
    }
    deepStrictEqual(found, expected);
  });
}

Deno.test("make_ledger_days() creates only the days around today when a writer calls it", async () => {
  await using line = await withRoles();
  const writer = open({ url: new URL(line.logins.url("writer")), connections: 1 });
  const partitions = () =>
    line.inside.query<{ name: string; owner: string }>(
      `SELECT inhrelid::regclass::text AS name, pg_get_userbyid(relowner) = current_user AS owner
      FROM pg_inherits JOIN pg_class ON oid = inhrelid
      WHERE inhparent = 'maskline.ledger'::regclass ORDER BY 1`,
    );
  const before = await partitions();
  const odd = ["infinity", "-infinity", "0044-03-15 BC", "99999-01-01", dayAfter(-16), dayAfter(2)];
  await writer.query(statement("SELECT maskline.make_ledger_days($1::date[])"), [odd]);
  deepStrictEqual(await partitions(), before);
  for (const none of ["NULL::date[]", "ARRAY[NULL]::date[]"]) {
    await rejects(() => writer.query(statement(`SELECT maskline.make_ledger_days(${none})`)));
  }
  await rejects(
    () => writer.query(statement("SELECT maskline.make_ledger_days('{x; DROP TABLE y}')")),
    { code: "22007" },
  );
  deepStrictEqual(await partitions(), before);
  await writer.query(statement("SET DateStyle = 'SQL, DMY'"));
  await writer.query(statement("SELECT maskline.make_ledger_days($1::date[])"), [[dayAfter(1)]]);
  const name = `maskline.ledger_${dayAfter(1).replaceAll("-", "")}`;
  const created = (await partitions()).filter((day) =>
    !before.some((old) => old.name === day.name)
  );
  deepStrictEqual(created, [{ name, owner: true }]);
  await rejects(() => writer.query(statement(`SELECT FROM ${name}`)), { code: "42501" });
  await writer.close();
});

Deno.test("note_audit() records the login when the session has set another role", async () => {
  await using line = await withRoles();
  const { url } = line.logins;
  await using session = await openSession(url("custodian"));
  await session.query("SET ROLE maskline_custodian");
  await session.query(`SELECT ${recordEntry}`);
  const [entry] = await line.inside.query<{ role: string }>(
    "SELECT role FROM maskline.reveal_audit",
  );
  strictEqual(entry?.role, new URL(url("custodian")).username);
});
