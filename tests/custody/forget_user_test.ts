import { statement } from "../../lib/store/postgres/statement.ts";
import fc from "fast-check";
import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import type { Queryable } from "../../lib/store/postgres/database.ts";
import { PostgresStore } from "../../lib/store/postgres/postgres_store.ts";
import { type ClearLogin, type FilledVault, fillVault } from "../support/filled_vault.ts";
import { auditOf, booksOf, forgetUser, rowsOf, waiting } from "../support/forgetting.ts";
import { createLogins } from "../support/logins.ts";
import { openSession } from "../support/open_session.ts";
import { until } from "../support/progress.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";
import { loginTable, open } from "../support/test_store.ts";

const server = await sharedPostgres();

const OFFICE = "203.0.113.7";
const people: readonly ClearLogin[] = [
  { user: "zq:ann", ip: OFFICE, device: "zq:phone" },
  { user: "zq:bob", ip: "2001:db8::7", device: "zq:bobs" },
];
const others = ["device_id zq:bobs", "ip 2001:db8::7"];

/** A worker in a transaction that stays open until `finish` is called. */
interface SlowWorker {
  query(text: string): Promise<void>;
  /** Writes logins with their originals. */
  store(logins: readonly ClearLogin[]): Promise<void>;
  finish(): Promise<void>;
}

async function startWorker(filled: FilledVault): Promise<SlowWorker> {
  const database = open({ url: new URL(filled.rows.url), connections: 1 });
  const begun = Promise.withResolvers<Queryable>();
  const finished = Promise.withResolvers<void>();
  const ending = database.transaction(async (connection) => {
    begun.resolve(connection);
    await finished.promise;
  });
  const connection = await begun.promise;
  const inside = { ...database, query: connection.query };
  const store = new PostgresStore(inside, loginTable, { vault: true });
  return {
    async query(text) {
      await connection.query(statement(text));
    },
    async store(logins) {
      await store.commit(await filled.batch(logins));
    },
    async finish() {
      finished.resolve();
      await ending;
      await database.close();
    },
  };
}

for (const mode of ["keep", "delete", "anonymise"]) {
  Deno.test(`forgetUser() waits for a batch that stores the same value, and keeps the original, when --rows is ${mode}`, async () => {
    await using filled = await fillVault(server, people);
    const worker = await startWorker(filled);
    await worker.store([{ user: "zq:cem", ip: OFFICE }]);
    const forgetting = forgetUser(filled, "zq:ann", "--rows", mode);
    await until(() => waiting(filled.rows), (count) => count === 1);
    await worker.finish();
    const { code, lines } = await forgetting;
    strictEqual(code, 0);
    ok(lines.includes(`ip ${filled.maskOf("ip", OFFICE)} stays: 1 other user has it too`));
    deepStrictEqual(await filled.originals(), [...others, `ip ${OFFICE}`].sort());
  });
}

Deno.test("forgetUser() blocks a batch that stores the same value, which seals it again, when the original is removed", async () => {
  await using filled = await fillVault(server, people);
  await using holder = await openSession(filled.vault.url);
  await holder.query("BEGIN");
  // The audit log is written last, and waits for this lock. All other statements have run by then.
  await holder.query("SELECT pg_advisory_xact_lock(1635083369)");
  const forgetting = forgetUser(filled, "zq:ann", "--rows", "delete");
  await until(() => waiting(filled.rows), (count) => count === 1);
  const bringing = filled.bring([{ user: "zq:cem", ip: OFFICE }]);
  await until(() => waiting(filled.rows), (count) => count === 2);
  await holder.query("COMMIT");
  ok((await forgetting).lines.includes(`ip ${filled.maskOf("ip", OFFICE)} is removed`));
  await bringing;
  deepStrictEqual(await filled.originals(), [...others, `ip ${OFFICE}`].sort());
  deepStrictEqual((await rowsOf(filled)).length, 2);
});

for (const mode of ["delete", "anonymise"]) {
  Deno.test(`forgetUser() leaves a row and its original when a worker stores the row with a new value after the lookup and --rows is ${mode}`, async () => {
    await using filled = await fillVault(server, people);
    const worker = await startWorker(filled);
    // The lookup is not blocked by this lock. The change waits for it, and sees what is committed by then.
    await worker.query("LOCK TABLE user_logins IN SHARE MODE");
    const forgetting = forgetUser(filled, "zq:ann", "--rows", mode);
    await until(() => waiting(filled.rows), (count) => count === 1);
    await worker.store([
      { user: "zq:ann", ip: "192.0.2.1", device: "zq:phone" },
      { user: "zq:ann", ip: OFFICE, device: "zq:phone" },
    ]);
    await worker.finish();
    match((await forgetting).lines.at(-1) ?? "", /^2 rows /);
    deepStrictEqual(await filled.originals(), [...others, "ip 192.0.2.1"].sort());
    match((await forgetUser(filled, "zq:ann", "--rows", mode)).lines.at(-1) ?? "", /^1 row /);
    deepStrictEqual(await filled.originals(), others);
  });
}

for (const apart of [false, true]) {
  const where = apart ? "the vault is in a database of its own" : "all is in one database";

  Deno.test(`forgetUser() leaves no original when all people who share it are forgotten at once and ${where}`, async () => {
    const users = ["zq:1", "zq:2", "zq:3", "zq:4"];
    const logins = users.map((user) => ({ user, ip: OFFICE, device: `${user}-phone` }));
    await using filled = await fillVault(server, logins, { apart });
    const modes = ["delete", "anonymise"];
    const runs = users.map((user, index) =>
      forgetUser(filled, user, "--rows", modes[index % 2] ?? "")
    );
    for (const { code } of await Promise.all(runs)) strictEqual(code, 0);
    deepStrictEqual(await filled.originals(), []);
  });

  Deno.test(`forgetUser() changes nothing when the audit log cannot be written and ${where}`, async () => {
    await using filled = await fillVault(server, people, { apart });
    const before = [await rowsOf(filled), await filled.originals(), await booksOf(filled)];
    await filled.vault.query("ALTER TABLE maskline.reveal_audit ADD CHECK (action <> 'forget')");
    for (const mode of ["keep", "delete", "anonymise"]) {
      const { code, lines, err } = await forgetUser(filled, "zq:ann", "--rows", mode);
      deepStrictEqual([code, lines, err], [1, [], "Postgres refused with SQLSTATE 23514\n"]);
    }
    deepStrictEqual(
      [await rowsOf(filled), await filled.originals(), await booksOf(filled)],
      before,
    );
    deepStrictEqual(await auditOf(filled), []);
  });

  Deno.test(`forgetUser() changes nothing when the table refuses the change of the rows and ${where}`, async () => {
    await using filled = await fillVault(server, people, { apart });
    await filled.rows.query("ALTER TABLE user_logins ADD CHECK (user_id IS NOT NULL)");
    const before = [await rowsOf(filled), await filled.originals()];
    const { code, err } = await forgetUser(filled, "zq:ann", "--rows", "anonymise");
    deepStrictEqual([code, err], [1, "Postgres refused with SQLSTATE 23514\n"]);
    deepStrictEqual([await rowsOf(filled), await filled.originals()], before);
    deepStrictEqual(await auditOf(filled), []);
  });

  Deno.test(`forgetUser() keeps the originals of the people who are not forgotten, and no others, when ${where}`, async () => {
    await using filled = await fillVault(server, [], { apart });
    const one = (name: string, count: number) =>
      fc.option(fc.integer({ min: 1, max: count }).map((index) => `${name}${index}`));
    const login = fc.record({
      user: one("zq:user", 5).map((user) => user ?? "zq:user0"),
      ip: one("2001:db8::", 4),
      device: one("zq:device", 4),
    });
    const forgotten = fc.uniqueArray(
      fc.record({
        user: fc.integer({ min: 0, max: 5 }).map((index) => `zq:user${index}`),
        mode: fc.constantFrom("delete", "anonymise"),
      }),
      { selector: ({ user }) => user },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(login, { maxLength: 15 }), forgotten, async (logins, leaving) => {
        await filled.rows.query("TRUNCATE user_logins, maskline.ledger, maskline.removed");
        await filled.vault.query("TRUNCATE maskline.vault");
        if (logins.length > 0) await filled.bring(logins);
        for (const { user, mode } of leaving) {
          const { code } = await forgetUser(filled, user, "--rows", mode);
          strictEqual(code, logins.some((login) => login.user === user) ? 0 : 1);
        }
        const staying = logins.filter(({ user }) => !leaving.some((left) => left.user === user));
        const kept = staying.flatMap(({ ip, device }) => [
          ...(ip ? [`ip ${ip}`] : []),
          ...(device ? [`device_id ${device}`] : []),
        ]);
        deepStrictEqual(await filled.originals(), [...new Set(kept)].sort());
        const [counted, ...warnings] = await booksOf(filled);
        strictEqual(counted, `the ledger has ${logins.length} committed and 0 rejected messages`);
        ok(!warnings.some((warning) => /another client/.test(warning)));
      }),
      { numRuns: 15 },
    );
  });
}

Deno.test("forgetUser() changes nothing when a deferred constraint refuses the rows", async () => {
  await using filled = await fillVault(server, people, { apart: true });
  await filled.rows.query(
    `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN RAISE EXCEPTION ''no, %'', OLD.user_id; END'`,
  );
  await filled.rows.query(
    `CREATE CONSTRAINT TRIGGER refuse AFTER DELETE ON user_logins
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()`,
  );
  const before = [await rowsOf(filled), await filled.originals()];
  const { code, lines, err } = await forgetUser(filled, "zq:ann", "--rows", "delete");
  deepStrictEqual([code, lines, err], [1, [], "Postgres refused with SQLSTATE P0001\n"]);
  deepStrictEqual([await rowsOf(filled), await filled.originals()], before);
});

Deno.test("forgetUser() reports that only the vault was changed when the rows' connection ends between the commits", async () => {
  await using filled = await fillVault(server, people, { apart: true });
  await filled.vault.query(
    `CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NULL; END'`,
  );
  await filled.vault.query(
    `CREATE CONSTRAINT TRIGGER linger AFTER DELETE ON maskline.vault
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION linger()`,
  );
  await using holder = await openSession(filled.vault.url);
  await holder.query("BEGIN");
  await holder.query("SELECT pg_advisory_xact_lock(1)");
  const running = forgetUser(filled, "zq:ann", "--rows", "delete");
  await until(() => waiting(filled.vault), (count) => count === 1);
  await filled.rows.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND state = 'idle in transaction'`,
  );
  await holder.query("COMMIT");
  const { code, lines, err } = await running;
  deepStrictEqual([code, lines], [1, []]);
  match(
    err,
    /^The originals are removed, and the rows may be unchanged: run the command again\. /,
  );
  deepStrictEqual(await filled.originals(), others);
  strictEqual((await rowsOf(filled)).length, 2);
  strictEqual((await forgetUser(filled, "zq:ann", "--rows", "delete")).code, 0);
  strictEqual((await rowsOf(filled)).length, 1);
  strictEqual((await booksOf(filled))[1], "1 rows were removed on purpose");
});

Deno.test("forgetUser() waits for another one when the rows of that one are not committed", async () => {
  const sharing = ["zq:ann", "zq:bob"].map((user) => ({ user, ip: OFFICE }));
  await using filled = await fillVault(server, sharing, { apart: true });
  await filled.rows.query(
    `CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NULL; END'`,
  );
  await filled.rows.query(
    `CREATE CONSTRAINT TRIGGER linger AFTER DELETE ON user_logins
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION linger()`,
  );
  await using holder = await openSession(filled.rows.url);
  await holder.query("BEGIN");
  await holder.query("SELECT pg_advisory_xact_lock(1)");
  const first = forgetUser(filled, "zq:ann", "--rows", "delete");
  await until(() => waiting(filled.rows), (count) => count === 1);
  // Otherwise it would count the rows of the first person, which are about to be deleted, and keep the original.
  const second = forgetUser(filled, "zq:bob", "--rows", "delete");
  await until(() => waiting(filled.rows), (count) => count === 2);
  await holder.query("COMMIT");
  deepStrictEqual([(await first).code, (await second).code], [0, 0]);
  deepStrictEqual(await filled.originals(), []);
});

Deno.test("forgetUser() works when the role is a custodian, and is refused when it is not", async () => {
  const filled = await fillVault(server, people);
  await using logins = await createLogins(server, filled.rows);
  // Dropped before the roles.
  await using _filled = filled;
  const before = [await rowsOf(filled), await filled.originals()];
  const as = (role: "reader" | "writer" | "custodian"): FilledVault => ({
    ...filled,
    settings: { DATABASE_URL: logins.url(role) },
  });
  for (const role of ["reader", "writer"] as const) {
    const { code, err } = await forgetUser(as(role), "zq:ann", "--rows", "delete");
    strictEqual(code, 1);
    match(err, /^Postgres refused with SQLSTATE 42501/);
  }
  deepStrictEqual([await rowsOf(filled), await filled.originals()], before);
  strictEqual((await forgetUser(as("custodian"), "zq:ann", "--dry-run")).code, 0);
  strictEqual((await forgetUser(as("custodian"), "zq:ann", "--rows", "anonymise")).code, 0);
  strictEqual((await forgetUser(as("custodian"), "zq:bob", "--rows", "delete")).code, 0);
  deepStrictEqual(await filled.originals(), []);
});

Deno.test("forgetUser() sees what other transactions commit when the database's default isolation level is repeatable read", async () => {
  await using filled = await fillVault(server, people);
  await filled.rows.query(
    `ALTER DATABASE "${filled.rows.name}" SET default_transaction_isolation = 'repeatable read'`,
  );
  const worker = await startWorker(filled);
  await worker.store([{ user: "zq:cem", ip: OFFICE }]);
  const forgetting = forgetUser(filled, "zq:ann");
  await until(() => waiting(filled.rows), (count) => count === 1);
  await worker.finish();
  strictEqual((await forgetting).code, 0);
  ok((await filled.originals()).includes(`ip ${OFFICE}`));
});
