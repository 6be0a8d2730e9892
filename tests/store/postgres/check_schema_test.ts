import { rejects } from "node:assert";
import { checkSchema } from "../../../lib/store/postgres/check_schema.ts";
import { schemaVersionNeeded } from "../../../lib/store/postgres/migrations/migrations.ts";
import { sharedPostgres } from "../../support/shared_postgres.ts";
import { createStore, loginTable, open } from "../../support/test_store.ts";

const server = await sharedPostgres();

/** Checks a migrated database after these changes. */
async function check(...changes: readonly string[]): Promise<void> {
  await using line = await createStore(server);
  for (const change of changes) await line.inside.query(change);
  await checkSchema(line.database, loginTable);
}

function refuses(message: string, ...changes: readonly string[]): Promise<void> {
  return rejects(() => check(...changes), { kind: "fatal", code: "schema", message });
}

Deno.test("checkSchema() accepts the schema when migrate created it", async () => {
  await check();
});

Deno.test("checkSchema() accepts a column when it is text and the contract has varchar", async () => {
  await check("ALTER TABLE user_logins ALTER COLUMN user_id TYPE text");
});

Deno.test("checkSchema() accepts the table when it has more columns, in another order", async () => {
  await check(
    "ALTER TABLE user_logins DROP COLUMN user_id",
    "ALTER TABLE user_logins ADD COLUMN stored_at timestamptz DEFAULT now()",
    "ALTER TABLE user_logins ADD COLUMN user_id varchar(128) NOT NULL",
  );
});

Deno.test("checkSchema() accepts a view when it replaces the table", async () => {
  await check(
    "ALTER TABLE user_logins RENAME TO stored_elsewhere",
    "CREATE VIEW user_logins AS SELECT * FROM stored_elsewhere",
  );
});

Deno.test("checkSchema() reports that migrate must run when the database is empty", async () => {
  await using inside = await server.createDatabase();
  const database = open({ url: new URL(inside.url) });
  await rejects(() => checkSchema(database, loginTable), {
    kind: "fatal",
    message: "Maskline's tables do not exist; run `maskline migrate`",
  });
  await database.close();
});

Deno.test("checkSchema() reports that migrate must run when the schema is older", async () => {
  await refuses(
    `The schema has version ${
      schemaVersionNeeded - 1
    }, expected ${schemaVersionNeeded}; run \`maskline migrate\``,
    `DELETE FROM maskline.migrations WHERE version = ${schemaVersionNeeded}`,
  );
});

Deno.test("checkSchema() reports that migrate must run when no migration is recorded", async () => {
  await refuses(
    `The schema has version 0, expected ${schemaVersionNeeded}; run \`maskline migrate\``,
    "TRUNCATE maskline.migrations",
  );
});

Deno.test("checkSchema() refuses when the schema is newer", async () => {
  await refuses(
    `The schema has version ${schemaVersionNeeded + 1}, expected ${schemaVersionNeeded}: ` +
      "a newer Maskline upgraded it, use that one",
    `INSERT INTO maskline.migrations VALUES (${schemaVersionNeeded + 1}, 'to come')`,
  );
});

Deno.test("checkSchema() names every column when the table is missing", async () => {
  await refuses(
    'The table "public"."user_logins" does not fit the contract: ' +
      "expected user_id varchar(128), got no such column; " +
      "expected device_type varchar(32), got no such column; " +
      "expected masked_ip varchar(256), got no such column; " +
      "expected masked_device_id varchar(256), got no such column; " +
      "expected locale varchar(32), got no such column; " +
      "expected app_version integer, got no such column; " +
      "expected create_date date, got no such column",
    "DROP TABLE user_logins",
  );
});

Deno.test("checkSchema() names each column that does not fit", async () => {
  await refuses(
    'The table "public"."user_logins" does not fit the contract: ' +
      "expected locale varchar(32), got varchar(8); expected app_version integer, got bigint; " +
      "expected create_date date, got no such column",
    "ALTER TABLE user_logins ALTER COLUMN locale TYPE varchar(8)",
    "ALTER TABLE user_logins ALTER COLUMN app_version TYPE bigint",
    "ALTER TABLE user_logins DROP COLUMN create_date",
  );
});

Deno.test("checkSchema() refuses a column when it is text and the contract has a number", async () => {
  await refuses(
    'The table "public"."user_logins" does not fit the contract: ' +
      "expected app_version integer, got text",
    "ALTER TABLE user_logins ALTER COLUMN app_version TYPE text",
  );
});

Deno.test("checkSchema() reports missing columns when the table is in another schema", async () => {
  await rejects(
    () => check("CREATE SCHEMA other", "ALTER TABLE user_logins SET SCHEMA other"),
    /: expected user_id varchar\(128\), got no such column; /,
  );
});

Deno.test("checkSchema() names the privilege when the role may not use the schema", async () => {
  await using line = await createStore(server);
  const role = `guest_${crypto.randomUUID().slice(0, 8)}`;
  await line.inside.query(`CREATE ROLE ${role} LOGIN`);
  const url = new URL(line.inside.url);
  url.username = role;
  const database = open({ url });
  await rejects(() => checkSchema(database, loginTable), {
    kind: "fatal",
    message: "Postgres refused with SQLSTATE 42501: permission denied for schema maskline",
  });
  await database.close();
  await line.inside.query(`DROP ROLE ${role}`);
});

Deno.test("checkSchema() is transient when the database does not answer", async () => {
  const url = new URL(server.url);
  url.port = "1";
  const database = open({ url });
  await rejects(() => checkSchema(database, loginTable), { kind: "transient" });
  await database.close();
});
