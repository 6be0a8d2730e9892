import { deepStrictEqual, rejects } from "node:assert";
import { createLogins } from "../../support/logins.ts";
import { openSession } from "../../support/open_session.ts";
import { sharedPostgres } from "../../support/shared_postgres.ts";
import { batchOf, createStore, dayAfter, eventRow, TODAY } from "../../support/test_store.ts";

const server = await sharedPostgres();

/** The functions that functions with their owner's rights call, and that a caller may try to replace. */
const calls = [
  "cardinality",
  "clock_timestamp",
  "convert_to",
  "decode",
  "format",
  "now",
  "octet_length",
  "pg_advisory_xact_lock",
  "pg_is_in_recovery",
  "repeat",
  "sha256",
  "timezone",
  "to_char",
  "to_regclass",
];

/**
 * Creates a schema of the caller that replaces pg_catalog: the same functions, operators, types and tables. Each
 * function fails, and names the role with whose rights it ran.
 */
async function setTrap(session: { query(sql: string): Promise<void> }): Promise<void> {
  await session.query(
    `GRANT ALL ON SCHEMA trap TO PUBLIC;
    DO $do$
    DECLARE
      each record;
      body text := $body$BEGIN RAISE EXCEPTION 'trapped as %', current_user; END$body$;
    BEGIN
      FOR each IN
        SELECT DISTINCT ON (proname, proargtypes) proname, proargtypes, prorettype::regtype AS gives, (
          SELECT string_agg(format_type(type, NULL), ', ' ORDER BY number)
          FROM unnest(proargtypes) WITH ORDINALITY AS argument (type, number)) AS takes
        FROM pg_catalog.pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace
          AND NOT '"any"'::regtype = ANY (proargtypes) AND proname = ANY ('{${calls}}')
      LOOP
        EXECUTE format('CREATE FUNCTION trap.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L',
          each.proname, each.takes, each.gives, body);
        EXECUTE format('CREATE FUNCTION pg_temp.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L',
          each.proname, each.takes, each.gives, body);
      END LOOP;
      FOR each IN
        SELECT oprname, oprleft::regtype AS l, oprright::regtype AS r, oprresult::regtype AS gives,
          row_number() OVER () AS number
        FROM pg_catalog.pg_operator WHERE (oprname, oprleft::regtype::text, oprright::regtype::text) IN (
          ('||', 'text', 'text'), ('||', 'bytea', 'bytea'), ('-', 'date', 'integer'),
          ('+', 'date', 'integer'), ('+', 'bigint', 'integer'), ('>=', 'date', 'date'),
          ('<=', 'date', 'date'), ('<', 'date', 'date'), ('>', 'date', 'date'),
          ('=', 'text', 'text'), ('<>', 'text', 'text'))
      LOOP
        EXECUTE format('CREATE FUNCTION trap.operator_%s(%s, %s) RETURNS %s LANGUAGE plpgsql AS %L',
          each.number, each.l, each.r, each.gives, body);
        EXECUTE format('CREATE OPERATOR trap.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = %s)',
          each.oprname, each.l, each.r, 'trap.operator_' || each.number);
      END LOOP;
      EXECUTE format('CREATE FUNCTION trap.caught(text) RETURNS boolean LANGUAGE plpgsql AS %L', body);
      EXECUTE format('CREATE FUNCTION trap.operator_enum(maskline.outcome, maskline.outcome)
        RETURNS boolean LANGUAGE plpgsql AS %L', body);
    END $do$;
    CREATE OPERATOR trap.= (LEFTARG = maskline.outcome, RIGHTARG = maskline.outcome,
      FUNCTION = trap.operator_enum);
    CREATE DOMAIN trap.date AS text CHECK (trap.caught(VALUE));
    CREATE DOMAIN pg_temp.date AS text CHECK (trap.caught(VALUE));
    CREATE TABLE trap.reveal_audit (number bigint);
    CREATE TEMP TABLE ledger (message_id text);
    CREATE TEMP TABLE user_logins AS SELECT generate_series(1, 1000) AS a;
    CREATE TEMP TABLE pg_class AS SELECT 1 AS a;
    SET search_path = trap, pg_temp, pg_catalog`,
  );
}

/** Creates a database with rows, and a login that is custodian and writer and has its own schema. */
async function withTrap() {
  const line = await createStore(server);
  await line.store.commit(batchOf([eventRow("a"), eventRow("b")]));
  const logins = await createLogins(server, line.inside);
  const { username } = new URL(logins.url("writer"));
  await line.inside.query(`GRANT maskline_custodian TO ${username}`);
  await line.inside.query(`CREATE SCHEMA trap AUTHORIZATION ${username}`);
  const session = await openSession(logins.url("writer"));
  await setTrap(session);
  return {
    ...line,
    session,
    async [Symbol.asyncDispose]() {
      await session.end();
      await line[Symbol.asyncDispose]();
      await logins[Symbol.asyncDispose]();
    },
  };
}

Deno.test("every function with its owner's rights has a fixed search_path, and PUBLIC may not execute it, when a database is migrated", async () => {
  await using line = await createStore(server);
  const found = await line.inside.query<{ name: string; config: string[]; open: boolean }>(
    `SELECT proname AS name, proconfig AS config,
      EXISTS (SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner)))
        WHERE grantee = 0) AS open
    FROM pg_proc WHERE pronamespace = 'maskline'::regnamespace AND prosecdef ORDER BY proname`,
  );
  deepStrictEqual(
    found,
    ["count_books", "make_ledger_days", "note_audit"].map((name) => (
      { name, config: ["search_path=pg_catalog, pg_temp"], open: false }
    )),
  );
});

const actions: Readonly<Record<string, string>> = {
  "make_ledger_days(date[])": `SELECT maskline.make_ledger_days('{${TODAY},${dayAfter(1)}}')`,
  "note_audit(text, text, text[], text[], text, text, text)":
    "SELECT maskline.note_audit('u', 'reveal', '{ip}', '{k1.x}', 'why', NULL, 'd')",
  "count_books()": "CREATE TABLE trap.books AS SELECT * FROM maskline.count_books()",
};

for (const [name, action] of Object.entries(actions)) {
  Deno.test(`${name} runs its caller's functions with its owner's rights when it has no fixed search_path`, async () => {
    await using line = await withTrap();
    await line.inside.query(`ALTER FUNCTION maskline.${name} RESET search_path`);
    const [owner] = await line.inside.query<{ name: string }>("SELECT current_user AS name");
    await rejects(() => line.session.query(action), { message: `trapped as ${owner?.name}` });
  });
}

Deno.test("functions with their owner's rights run no function of their caller when they have a fixed search_path", async () => {
  await using line = await withTrap();
  const { session, inside } = line;
  for (const action of Object.values(actions)) await session.query(action);
  // These have their caller's rights, and call the right functions too.
  await session.query("SELECT maskline.assert_writable(), maskline.netstring('a')");
  await session.query(`SELECT maskline.rejected_before('{a}', '{${TODAY}}')`);
  deepStrictEqual(await inside.query("SELECT * FROM trap.books"), [
    { committed: "2", rejected: "0", rows: "2", removed: "0", set_aside: "0" },
  ]);
  const partition = `maskline.ledger_${dayAfter(1).replaceAll("-", "")}`;
  deepStrictEqual(
    await inside.query(
      `SELECT to_regclass('${partition}') IS NOT NULL AS day, number::integer, length(hash) AS bytes,
        (SELECT count(*)::integer FROM trap.reveal_audit) AS trapped
      FROM maskline.reveal_audit`,
    ),
    [{ day: true, number: 1, bytes: 32, trapped: 0 }],
  );
});
