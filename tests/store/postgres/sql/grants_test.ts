import { login } from "../../../../lib/contract/login.ts";
import { statement } from "../../../../lib/store/postgres/statement.ts";
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert";
import { findCountersObstacle } from "../../../../lib/custody/books.ts";
import { migrate } from "../../../../lib/store/postgres/migrate.ts";
import { countCounters } from "../../../../lib/store/postgres/sql/counters.ts";
import { formatGrants } from "../../../../lib/store/postgres/sql/grants.ts";
import { attempt } from "../../../support/attempt.ts";
import { createLogins } from "../../../support/logins.ts";
import { openSession } from "../../../support/open_session.ts";
import { sharedPostgres } from "../../../support/shared_postgres.ts";
import type { TestDatabase } from "../../../support/test_database.ts";
import { createStore, loginTable, open } from "../../../support/test_store.ts";

const server = await sharedPostgres();

/** Lists every privilege that a group or PUBLIC has in this database. */
async function privilegesIn(inside: TestDatabase): Promise<string[]> {
  const rows = await inside.query<{ line: string }>(
    `SELECT format('%s: %s on %s', coalesce(rolname, 'PUBLIC'), privilege_type, object) AS line
    FROM (
      SELECT oid::regclass::text, relacl FROM pg_class
      UNION ALL SELECT attrelid::regclass || '.' || attname, attacl FROM pg_attribute
      UNION ALL SELECT oid::regprocedure::text, proacl FROM pg_proc
      UNION ALL SELECT nspname::text, nspacl FROM pg_namespace
    ) AS held (object, acl) CROSS JOIN aclexplode(acl) LEFT JOIN pg_roles ON oid = grantee
    WHERE rolname LIKE 'maskline%' OR (grantee = 0 AND object LIKE 'maskline.%')
    ORDER BY 1`,
  );
  return rows.map(({ line }) => line);
}

/** Runs `work` with a role that owns a database and has no other right. */
async function asOwner(
  work: (owner: string, url: URL, inside: TestDatabase) => Promise<void>,
): Promise<void> {
  await using inside = await server.createDatabase("owned");
  const owner = `${inside.name}_owner`;
  await inside.query(`CREATE ROLE ${owner} LOGIN PASSWORD 'of a test'`);
  try {
    await inside.query(`ALTER DATABASE ${inside.name} OWNER TO ${owner}`);
    const url = new URL(inside.url);
    url.username = owner;
    url.password = "of a test";
    await work(owner, url, inside);
  } finally {
    await inside.drop();
    await using session = await openSession(server.url);
    await session.query(`DROP ROLE ${owner}`);
  }
}

Deno.test("formatGrants() grants the same, and revokes other privileges, when it is run again", async () => {
  await using line = await createStore(server);
  await line.inside.query(formatGrants(loginTable));
  const once = await privilegesIn(line.inside);
  ok(once.length > 40);
  await line.inside.query("GRANT ALL ON maskline.vault, user_logins TO maskline_reader");
  await line.inside.query("GRANT UPDATE (sealed) ON maskline.rejected TO maskline_writer");
  await line.inside.query("GRANT EXECUTE ON FUNCTION maskline.count_books() TO PUBLIC");
  await line.inside.query(formatGrants(loginTable));
  deepStrictEqual(await privilegesIn(line.inside), once);
});

Deno.test("migrate() changes no privilege when it is run again", async () => {
  await using line = await createStore(server);
  await line.inside.query(formatGrants(loginTable));
  const before = await privilegesIn(line.inside);
  await migrate(line.database, loginTable);
  deepStrictEqual(await privilegesIn(line.inside), before);
});

Deno.test("formatGrants() quotes the table's name when it has special characters", async () => {
  const odd = { ...loginTable, schema: 'a"b', name: "c d" };
  match(formatGrants(odd), /GRANT INSERT ON "a""b"\."c d" TO maskline_writer;/);
  await using inside = await server.createDatabase("grants");
  await inside.query('CREATE SCHEMA "a""b"');
  const database = open({ url: new URL(inside.url) });
  await migrate(database, odd);
  await database.close();
  await inside.query(formatGrants(odd));
  await using session = await openSession(inside.url);
  await session.query("SET ROLE maskline_writer");
  deepStrictEqual(
    [
      await attempt(session, 'INSERT INTO "a""b"."c d" (user_id) VALUES (1)'),
      await attempt(session, 'TABLE "a""b"."c d"'),
      await attempt(session, "SELECT maskline.count_books()"),
    ],
    ["allowed", "denied", "allowed"],
  );
});

Deno.test("formatGrants() works without the right to create roles when the roles exist", async () => {
  await using other = await createStore(server);
  await other.inside.query(formatGrants(loginTable));
  await asOwner(async (_owner, url, inside) => {
    const database = open({ url });
    await migrate(database, loginTable);
    await database.query(statement(formatGrants(loginTable)));
    await database.close();
    ok((await privilegesIn(inside)).includes("maskline_writer: INSERT on user_logins"));
  });
});

Deno.test("formatGrants() lets the writer insert originals and the custodian open them when the database has the vault alone", async () => {
  await using inside = await server.createDatabase("vault");
  const database = open({ url: new URL(inside.url) });
  await migrate(database);
  await database.close();
  await inside.query(formatGrants());
  await inside.query(formatGrants());
  const found = await privilegesIn(inside);
  deepStrictEqual(
    found.filter((line) => line.startsWith("maskline_writer")),
    [
      "maskline_writer: EXECUTE on maskline.assert_writable()",
      "maskline_writer: INSERT on maskline.vault",
      "maskline_writer: SELECT on maskline.migrations",
      "maskline_writer: SELECT on maskline.vault.field",
      "maskline_writer: SELECT on maskline.vault.last_seen",
      "maskline_writer: SELECT on maskline.vault.mask",
      "maskline_writer: UPDATE on maskline.vault.last_seen",
      "maskline_writer: USAGE on maskline",
    ],
  );
  deepStrictEqual(found.filter((line) => line.startsWith("maskline_reader")), []);
  ok(found.includes("maskline_custodian: SELECT on maskline.reveal_audit"));
});

Deno.test("findCountersObstacle() names the owner of the function when that role may not read the table", async () => {
  await asOwner(async (owner, url, inside) => {
    await inside.query("CREATE TABLE user_logins AS SELECT 1 AS a");
    const database = open({ url });
    await migrate(database, loginTable);
    strictEqual(
      await findCountersObstacle({ database, contract: login }),
      `The role ${owner}, with whose rights maskline.count_books counts, lacks SELECT on ` +
        `"public"."user_logins"; the table's owner can grant it`,
    );
    await rejects(() => database.query(countCounters), { code: "42501" });
    await inside.query(`GRANT SELECT ON user_logins TO ${owner}`);
    strictEqual(await findCountersObstacle({ database, contract: login }), null);
    deepStrictEqual((await database.query<{ rows: string }>(countCounters))[0]?.rows, "1");
    await database.close();
  });
});

Deno.test("findCountersObstacle() reports the cause when the role may not count or the function is missing", async () => {
  await using line = await createStore(server);
  await using logins = await createLogins(server, line.inside);
  const reader = open({ url: new URL(logins.url("reader")), connections: 1 });
  strictEqual(await findCountersObstacle({ database: reader, contract: login }), null);
  await line.inside.query("REVOKE ALL ON FUNCTION maskline.count_books() FROM maskline_reader");
  match(
    String(await findCountersObstacle({ database: reader, contract: login })),
    /^The role lacks EXECUTE on /,
  );
  await line.inside.query("DROP FUNCTION maskline.count_books()");
  strictEqual(
    await findCountersObstacle({ database: reader, contract: login }),
    "maskline.count_books does not exist; run `maskline migrate`",
  );
  await reader.close();
});
