import { deepStrictEqual, match, strictEqual } from "node:assert";
import { main } from "../../lib/cli/main.ts";
import { formatGrants } from "../../lib/store/postgres/sql/grants.ts";
import { fakeIo } from "../support/fake_io.ts";
import { openSession } from "../support/open_session.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";
import { loginTable } from "../support/test_store.ts";

const server = await sharedPostgres();

Deno.test("migrate --print-grants prints the roles when neither a setting nor a database exists", async () => {
  const io = fakeIo();
  deepStrictEqual(await main(["migrate", "--print-grants"], io), 0);
  strictEqual(io.written.out, formatGrants(loginTable));
  strictEqual(io.written.err, "");
  match(io.written.out, /^-- {3}CREATE ROLE app LOGIN PASSWORD '\.\.\.';$/m);
});

Deno.test("migrate --print-grants prints the roles of a database with the vault alone when --vault is given", async () => {
  const io = fakeIo();
  strictEqual(await main(["migrate", "--print-grants", "--vault"], io), 0);
  strictEqual(io.written.out, formatGrants());
});

Deno.test("migrate exits with 2 when --vault is given alone", async () => {
  const io = fakeIo();
  strictEqual(await main(["migrate", "--vault"], io), 2);
  match(io.written.err, /^--vault: is only allowed with --print-grants\n$/);
});

Deno.test("migrate reports that `check --books` will fail when its role may not read the table", async () => {
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
  const failure =
    `^\`maskline check --books\` will fail: The role ${role}, .* lacks SELECT on "public"`;
  match(io.written.err, new RegExp(failure));
});

Deno.test("migrate migrates the vault's own database too, without the table, when VAULT_DATABASE_URL is set", async () => {
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
