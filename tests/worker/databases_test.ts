import { deepStrictEqual, rejects, strictEqual } from "node:assert";
import { main } from "../../lib/cli/main.ts";
import { readSettings } from "../../lib/config/read_settings.ts";
import { statement } from "../../lib/store/postgres/statement.ts";
import { Databases } from "../../lib/worker/databases.ts";
import { fakeIo, fakeSource } from "../support/fake_io.ts";
import { freePort } from "../support/free_port.ts";
import {
  createRejectedMessages,
  loginBody,
  stateOf,
  usersOf,
} from "../support/rejected_messages.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";
import type { TestDatabase } from "../support/test_database.ts";
import { createStore } from "../support/test_store.ts";

const postgres = await sharedPostgres();

const WHY = ["--reason", "the check was wrong"];

/** A URL at which no server listens. */
function unreachable(): string {
  return `postgres://x@127.0.0.1:${freePort()}/x`;
}

/** A trigger that refuses each new row when its transaction commits. */
async function refuseAtCommit(inside: TestDatabase, table: string): Promise<void> {
  await inside.query(
    `CREATE FUNCTION public.late() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE check_violation; END $$`,
  );
  await inside.query(
    `CREATE CONSTRAINT TRIGGER late AFTER INSERT ON ${table}
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.late()`,
  );
}

function open(settings: Record<string, string>): Databases {
  return new Databases(readSettings(fakeSource(settings), []));
}

Deno.test("database and vault are one when VAULT_DATABASE_URL is not set", async () => {
  const databases = open({ DATABASE_URL: unreachable() });
  strictEqual(databases.isVaultApart, false);
  strictEqual(databases.vault, databases.database);
  await databases.close();
});

Deno.test("transaction() rolls both databases back when the work fails", async () => {
  await using rows = await createStore(postgres);
  await using vault = await createStore(postgres);
  const databases = open({ DATABASE_URL: rows.inside.url, VAULT_DATABASE_URL: vault.inside.url });
  const insert = statement("INSERT INTO maskline.removed (why, rows) VALUES ('test', 1)");
  const work = databases.transaction(async ({ database, inVault }) => {
    await database.query(insert);
    await inVault(async (connection) => {
      await connection.query(insert);
      throw new TypeError("The work failed");
    });
  });
  await rejects(work, TypeError);
  for (const { inside } of [rows, vault]) {
    deepStrictEqual(await inside.query("SELECT * FROM maskline.removed"), []);
  }
  await databases.close();
});

Deno.test("rejected replay reports a refused row, and changes nothing, when a deferred constraint refuses it", async () => {
  await using aside = await createRejectedMessages(postgres);
  await using vault = await createStore(postgres);
  await aside.reject("m-1", loginBody());
  await refuseAtCommit(aside.store.inside, "user_logins");
  const settings = { VAULT_DATABASE_URL: vault.inside.url };
  for (const mode of [[], ["--dry-run"]]) {
    const { code, err } = await aside.run(["replay", "m-1", ...WHY, ...mode], aside.io(settings));
    deepStrictEqual([code, err], [1, "Message m-1 is refused by Postgres: SQLSTATE 23514\n"]);
  }
  deepStrictEqual(await usersOf(aside), []);
  deepStrictEqual(await vault.inside.query("SELECT action FROM maskline.reveal_audit"), []);
  deepStrictEqual(await vault.inside.query("SELECT mask FROM maskline.vault"), []);
});

Deno.test("rejected replay stops, and blames no row, when the vault refuses to commit", async () => {
  await using aside = await createRejectedMessages(postgres);
  await using vault = await createStore(postgres);
  await aside.reject("m-1", loginBody());
  await aside.reject("m-2", loginBody());
  await refuseAtCommit(vault.inside, "maskline.reveal_audit");
  const { code, out, err } = await aside.run(
    ["replay", "m-1", "m-2", ...WHY],
    aside.io({ VAULT_DATABASE_URL: vault.inside.url }),
  );
  const summary = "0 replayed, 0 still rejected, 0 refused, 0 duplicates, 2 not tried\n";
  deepStrictEqual([code, out], [1, summary]);
  strictEqual(
    err,
    "The replay could not be recorded: Postgres refused with SQLSTATE 23514\n",
  );
  strictEqual(Object.keys(await stateOf(aside)).length, 2);
  deepStrictEqual(await usersOf(aside), []);
});

Deno.test("rejected replay and discard do not connect to the vault when they write nothing there", async () => {
  await using aside = await createRejectedMessages(postgres);
  await aside.reject("m-1", "not JSON");
  await aside.reject("m-2", loginBody());
  const io = () => aside.io({ VAULT_DATABASE_URL: unreachable() });
  const dry = await aside.run(["replay", "m-1", "m-2", ...WHY, "--dry-run"], io());
  deepStrictEqual(
    [dry.out, dry.err],
    [
      "Would be: 1 replayed, 1 still rejected, 0 refused, 0 duplicates\n",
      "Message m-1 is still rejected: not_json\n",
    ],
  );
  const real = await aside.run(["replay", "m-1", ...WHY], io());
  deepStrictEqual(real.err, "Message m-1 is still rejected: not_json\n");
  const unknown = await aside.run(["discard", "m-9", ...WHY], io());
  deepStrictEqual(unknown.err, "Message 1 of the command line was not rejected\n");
});

Deno.test("a command needs no certificate of a database that it does not use", async () => {
  await using store = await createStore(postgres);
  const { url } = store.inside;
  const bad = `${url}?sslmode=verify-full&sslrootcert=/no/such/file`;
  const cases: [args: string[], settings: Record<string, string>][] = [
    [["rejected", "list"], { DATABASE_URL: url, VAULT_DATABASE_URL: bad }],
    [["audit", "verify"], { DATABASE_URL: bad, VAULT_DATABASE_URL: url }],
  ];
  for (const [args, settings] of cases) {
    const io = fakeIo({ settings });
    strictEqual(await main(args, io), 0, io.written.err);
  }
});

Deno.test("a command names the setting when the certificate of its database cannot be read", async () => {
  const url = "postgres://db.example.org/app?sslrootcert=/no/such/file";
  const io = fakeIo({ settings: { DATABASE_URL: url } });
  strictEqual(await main(["rejected", "list"], io), 1);
  strictEqual(
    io.written.err,
    "DATABASE_URL: sslrootcert: expected a readable file, got NotFound\n",
  );
});

Deno.test("migrate prints what it applied to the rows when the vault's database fails", async () => {
  await using inside = await postgres.createDatabase("rows");
  const io = fakeIo({ settings: { DATABASE_URL: inside.url, VAULT_DATABASE_URL: unreachable() } });
  strictEqual(await main(["migrate"], io), 1);
  strictEqual(io.written.out.split("\n")[0], "applied ledger");
  strictEqual(io.written.err, "Postgres did not answer: ECONNREFUSED\n");
});

Deno.test("mask reads no value when MASK_KEY is not set", async () => {
  let isRead = false;
  const input = () => {
    isRead = true;
    return Promise.resolve("192.0.2.1");
  };
  strictEqual(await main(["mask", "ip"], { ...fakeIo(), input }), 2);
  strictEqual(isRead, false);
});
