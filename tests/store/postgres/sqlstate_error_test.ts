import { statement } from "../../../lib/store/postgres/statement.ts";
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert";
import { classifySqlstate, sqlstates, toStoreError } from "../../../lib/store/postgres/sqlstate.ts";
import { StoreError } from "../../../lib/store/store.ts";
import { sharedPostgres } from "../../support/shared_postgres.ts";
import { open } from "../../support/test_store.ts";

const server = await sharedPostgres();

/** Is in every value. No error may contain it. */
const CANARY = "canary7391";

/** Runs statements in a database of their own, and returns the error of the last one. */
async function failureOf(...statements: readonly string[]): Promise<StoreError> {
  await using inside = await server.createDatabase();
  const database = open({ url: new URL(inside.url), connections: 1 });
  try {
    for (const text of statements) await database.query(statement(text));
  } catch (error) {
    ok(error instanceof StoreError, String(error));
    return error;
  } finally {
    await database.close();
  }
  throw new Error("No statement failed");
}

Deno.test("toStoreError() returns the kind of the table when Postgres refuses with each of its codes", async () => {
  const database = open({ url: new URL(server.url), connections: 1 });
  for (const row of sqlstates) {
    const code = row.code.padEnd(5, "0");
    const text = `DO $$ BEGIN RAISE EXCEPTION '${CANARY}' USING ERRCODE = '${code}'; END $$`;
    await rejects(() => database.query(statement(text)), {
      name: "StoreError",
      kind: classifySqlstate(code),
      code,
      message: `Postgres refused with SQLSTATE ${code}`,
    });
  }
  await database.close();
});

const table = "CREATE TABLE t (name varchar(20) UNIQUE CHECK (name <> 'no canary7391'), n integer)";
const quoting: readonly [code: string, what: string, ...statements: string[]][] = [
  ["22001", "a text is too long", table, `INSERT INTO t VALUES ('${CANARY.repeat(3)}')`],
  ["22P02", "a text is not a number", table, `INSERT INTO t (n) VALUES ('${CANARY}')`],
  ["22007", "a text is not a date", `SELECT '${CANARY}'::date`],
  ["22021", "a text has an invalid byte", `SELECT E'${CANARY}\\xff'`],
  ["23505", "a value is there twice", table, `INSERT INTO t VALUES ('${CANARY}'), ('${CANARY}')`],
  ["23514", "a check fails", table, `INSERT INTO t VALUES ('no ${CANARY}')`],
  [
    "23502",
    "a value is missing",
    "CREATE TABLE t (name text, n integer NOT NULL)",
    `INSERT INTO t VALUES ('${CANARY}')`,
  ],
];
for (const [code, what, ...statements] of quoting) {
  Deno.test(`toStoreError() quotes no value when ${what} and Postgres quotes the row`, async () => {
    const error = await failureOf(...statements);
    deepStrictEqual([error.kind, error.code], ["data", code]);
    ok(!Deno.inspect(error).includes(CANARY), Deno.inspect(error));
  });
}

for (const code of ["P0001", "42501", "28000", "3F000"]) {
  Deno.test(`toStoreError() quotes no value when a trigger raises one as ${code}`, async () => {
    const error = await failureOf(
      "CREATE TABLE t (name text)",
      `CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'bad %', NEW USING ERRCODE = '${code}'; END $$`,
      "CREATE TRIGGER shout BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION shout()",
      `INSERT INTO t VALUES ('${CANARY}')`,
    );
    strictEqual(error.message, `Postgres refused with SQLSTATE ${code}`);
  });
}

Deno.test("toStoreError() quotes no value when a trigger runs one as SQL", async () => {
  const error = await failureOf(
    "CREATE TABLE t (name text)",
    `CREATE FUNCTION run() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE NEW.name; END $$`,
    "CREATE TRIGGER run BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION run()",
    `INSERT INTO t VALUES ('${CANARY}')`,
  );
  strictEqual(error.message, "Postgres refused with SQLSTATE 42601");
});

Deno.test("toStoreError() names the table when it is missing", async () => {
  const error = await failureOf("SELECT * FROM no_such_table");
  strictEqual(
    error.message,
    'Postgres refused with SQLSTATE 42P01: relation "no_such_table" does not exist',
  );
});

Deno.test("toStoreError() is fatal, and names the database, when it is missing", async () => {
  const url = new URL(server.url);
  url.pathname = "/no_such_database";
  const database = open({ url });
  await rejects(() => database.query(statement("SELECT 1")), {
    kind: "fatal",
    code: "3D000",
    message: 'Postgres refused with SQLSTATE 3D000: database "no_such_database" does not exist',
  });
  await database.close();
});

for (const code of ["EPIPE", "ECONNRESET", "ETIMEDOUT", "ENOTFOUND", "EAI_AGAIN"]) {
  Deno.test(`toStoreError() is transient when the network fails with ${code}`, () => {
    // EPIPE was fatal in an earlier version: it has the form of an SQLSTATE that is not listed.
    const { kind, message } = toStoreError(Object.assign(new Error(CANARY), { code }));
    deepStrictEqual([kind, message], ["transient", `Postgres did not answer: ${code}`]);
  });
}

Deno.test("toStoreError() is transient, and quotes nothing, when the driver throws without a code", () => {
  const { kind, code, message } = toStoreError(new Error(CANARY));
  deepStrictEqual([kind, code], ["transient", "connection_lost"]);
  ok(!message.includes(CANARY));
});

Deno.test("toStoreError() is fatal when the runtime does not permit the host", () => {
  const { kind, message } = toStoreError(new Deno.errors.NotCapable(CANARY));
  deepStrictEqual([kind, message], [
    "fatal",
    "This binary was not compiled for that database host; compile it with this DATABASE_URL",
  ]);
});
