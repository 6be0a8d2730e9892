import { deepStrictEqual, match, strictEqual } from "node:assert";
import { main } from "../../lib/cli/main.ts";
import { grants } from "../../lib/store/postgres/sql/grants.ts";
import { fakeIo } from "../support/fake_io.ts";
import { openSession } from "../support/open_session.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";
import { loginTable } from "../support/test_store.ts";

const server = await sharedPostgres();

Deno.test("migrate --print-grants prints the roles, and needs no setting and no database", async () => {
  const io = fakeIo();
  deepStrictEqual(await main(["migrate", "--print-grants"], io), 0);
  strictEqual(io.written.out, grants(loginTable));
  strictEqual(io.written.err, "");
  match(io.written.out, /^-- {3}CREATE ROLE app LOGIN PASSWORD '\.\.\.';$/m);
});

Deno.test("migrate --print-grants --vault prints those of a database with the vault alone", async () => {
  const io = fakeIo();
  strictEqual(await main(["migrate", "--print-grants", "--vault"], io), 0);
  strictEqual(io.written.out, grants());
});

Deno.test("migrate refuses --vault alone", async () => {
  const io = fakeIo();
  strictEqual(await main(["migrate", "--vault"], io), 2);
  match(io.written.err, /--vault: goes with --print-grants/);
});

Deno.test("migrate says so when the books cannot be counted with its role's rights", async () => {
  await using inside = await server.createDatabase("migrate");
  const role = `${inside.name}_role`;
  await inside.query(`CREATE ROLE ${role} LOGIN PASSWORD 'of a test'`);
  await using _ = {
    async [Symbol.asyncDispose]() {
      await inside.drop();
      await using session = await openSession(server.url);
      await session.query(`DROP ROLE ${role}`);
    },
  };
  await inside.query(`GRANT CREATE ON DATABASE ${inside.name} TO ${role}`);
  const url = new URL(inside.url);
  strictEqual(await main(["migrate"], fakeIo({ settings: { DATABASE_URL: url.href } })), 0);
  await inside.query("DROP SCHEMA maskline CASCADE");
  url.username = role;
  url.password = "of a test";
  const io = fakeIo({ settings: { DATABASE_URL: url.href } });
  strictEqual(await main(["migrate"], io), 0);
  match(io.written.err, new RegExp(`cannot count: The role ${role}, .* lacks SELECT on "public"`));
});

Deno.test("migrate makes the vault's own database too, without the table, when there is one", async () => {
  await using rows = await server.createDatabase("rows");
  await using vault = await server.createDatabase("vault");
  const settings = { DATABASE_URL: rows.url, VAULT_DATABASE_URL: vault.url };
  const io = fakeIo({ settings });
  strictEqual(await main(["migrate"], io), 0);
  match(io.written.out, /the vault's own database:\napplied ledger\n/);
  const table = "SELECT to_regclass('public.user_logins')::text AS found";
  deepStrictEqual(await rows.query(table), [{ found: "user_logins" }]);
  deepStrictEqual(await vault.query(table), [{ found: null }]);
  const again = fakeIo({ settings });
  strictEqual(await main(["migrate"], again), 0);
  strictEqual(again.written.out.match(/nothing to do/g)?.length, 2);
});
