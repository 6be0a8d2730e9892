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

Deno.test("checkSchema() is content when migrate made everything", async () => {
  await check();
});

Deno.test("checkSchema() is content when a text stands where a varchar was wanted", async () => {
  await check("ALTER TABLE user_logins ALTER COLUMN user_id TYPE text");
});

Deno.test("checkSchema() is content when the table has more columns, in another order", async () => {
  await check(
    "ALTER TABLE user_logins DROP COLUMN user_id",
    "ALTER TABLE user_logins ADD COLUMN noted timestamptz DEFAULT now()",
    "ALTER TABLE user_logins ADD COLUMN user_id varchar(128) NOT NULL",
  );
});

Deno.test("checkSchema() is content when a view stands where the table was", async () => {
  await check(
    "ALTER TABLE user_logins RENAME TO stored_elsewhere",
    "CREATE VIEW user_logins AS SELECT * FROM stored_elsewhere",
  );
});

Deno.test("checkSchema() says to migrate when nothing is there", async () => {
  await using inside = await server.createDatabase();
  const database = open({ url: new URL(inside.url) });
  await rejects(() => checkSchema(database, loginTable), {
    kind: "fatal",
    message: "Maskline's tables are not there; run `maskline migrate`",
  });
  await database.close();
});

Deno.test("checkSchema() says to migrate when the schema is older", async () => {
  await refuses(
    `The schema is at version ${
      schemaVersionNeeded - 1
    }, wanted ${schemaVersionNeeded}; run \`maskline migrate\``,
    `DELETE FROM maskline.migrations WHERE version = ${schemaVersionNeeded}`,
  );
});

Deno.test("checkSchema() says to migrate when no migration is noted", async () => {
  await refuses(
    `The schema is at version 0, wanted ${schemaVersionNeeded}; run \`maskline migrate\``,
    "TRUNCATE maskline.migrations",
  );
});

Deno.test("checkSchema() refuses when the schema is newer", async () => {
  await refuses(
    `The schema is at version ${schemaVersionNeeded + 1}, made for a newer Maskline than this one`,
    `INSERT INTO maskline.migrations VALUES (${schemaVersionNeeded + 1}, 'to come')`,
  );
});

Deno.test("checkSchema() names every column when the table is missing", async () => {
  await refuses(
    'The table "public"."user_logins" does not fit: user_id is missing, wanted varchar(128); ' +
      "device_type is missing, wanted varchar(32); masked_ip is missing, wanted varchar(256); " +
      "masked_device_id is missing, wanted varchar(256); locale is missing, wanted varchar(32); " +
      "app_version is missing, wanted integer; create_date is missing, wanted date",
    "DROP TABLE user_logins",
  );
});

Deno.test("checkSchema() names each column that does not fit", async () => {
  await refuses(
    'The table "public"."user_logins" does not fit: locale is varchar(8), wanted varchar(32); ' +
      "app_version is bigint, wanted integer; create_date is missing, wanted date",
    "ALTER TABLE user_logins ALTER COLUMN locale TYPE varchar(8)",
    "ALTER TABLE user_logins ALTER COLUMN app_version TYPE bigint",
    "ALTER TABLE user_logins DROP COLUMN create_date",
  );
});

Deno.test("checkSchema() refuses a text where another type was wanted", async () => {
  await refuses(
    'The table "public"."user_logins" does not fit: app_version is text, wanted integer',
    "ALTER TABLE user_logins ALTER COLUMN app_version TYPE text",
  );
});

Deno.test("checkSchema() names a table of the same name in another schema as missing", async () => {
  await rejects(
    () => check("CREATE SCHEMA other", "ALTER TABLE user_logins SET SCHEMA other"),
    /user_id is missing/,
  );
});

Deno.test("checkSchema() says what is forbidden when the role may not enter the schema", async () => {
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
