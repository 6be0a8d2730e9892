import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert";
import { checkSchema } from "../../../lib/store/postgres/check_schema.ts";
import type { Database } from "../../../lib/store/postgres/database.ts";
import { migrate } from "../../../lib/store/postgres/migrate.ts";
import {
  migrations,
  schemaVersionNeeded,
} from "../../../lib/store/postgres/migrations/migrations.ts";
import { PostgresStore } from "../../../lib/store/postgres/postgres_store.ts";
import { createTable } from "../../../lib/store/postgres/sql/rows.ts";
import { createMigrations, recordMigration } from "../../../lib/store/postgres/sql/schema.ts";
import { sharedPostgres } from "../../support/shared_postgres.ts";
import type { TestDatabase } from "../../support/test_database.ts";
import { batchOf, eventRow, loginTable, open } from "../../support/test_store.ts";

const server = await sharedPostgres();
const names = migrations.map(({ name }) => name);

/** Runs `work` on an empty database. */
async function onEmpty(
  work: (database: Database, inside: TestDatabase) => Promise<void>,
): Promise<void> {
  await using inside = await server.createDatabase("migrate");
  const database = open({ url: new URL(inside.url) });
  try {
    await work(database, inside);
  } finally {
    await database.close();
  }
}

/** Lists everything in the two schemas: relations with their columns, functions and types. */
async function shapeOf(inside: TestDatabase): Promise<string[]> {
  const rows = await inside.query<{ line: string }>(
    `SELECT format('%s.%s %s', n.nspname, c.relname, string_agg(
        format('%s %s %s', attname, format_type(atttypid, atttypmod), attnotnull), ', ' ORDER BY attnum
      )) AS line
      FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
      LEFT JOIN pg_attribute ON attrelid = c.oid AND attnum > 0
      WHERE nspname IN ('public', 'maskline') GROUP BY n.nspname, c.relname
    UNION ALL
    SELECT format('%s.%s %s', nspname, proname, prosrc) FROM pg_proc
      JOIN pg_namespace n ON n.oid = pronamespace WHERE nspname IN ('public', 'maskline')
    ORDER BY 1`,
  );
  return rows.map(({ line }) => line);
}

Deno.test("migrations are numbered from 1 without a gap, and each has a name of its own", () => {
  deepStrictEqual(migrations.map(({ version }) => version), migrations.map((_, i) => i + 1));
  strictEqual(new Set(names).size, names.length);
  strictEqual(schemaVersionNeeded, migrations.length);
});

Deno.test("migrate() creates everything, and returns the names of the migrations, when the database is empty", async () => {
  await onEmpty(async (database) => {
    deepStrictEqual(await migrate(database, loginTable), names);
    await checkSchema(database, loginTable);
  });
});

Deno.test("migrate() changes nothing when it is run again", async () => {
  await onEmpty(async (database, inside) => {
    await migrate(database, loginTable);
    const before = await shapeOf(inside);
    ok(before.length > 10);
    deepStrictEqual(await migrate(database, loginTable), []);
    deepStrictEqual(await shapeOf(inside), before);
  });
});

Deno.test("migrate() applies each migration once when many run at the same moment", async () => {
  await onEmpty(async (database, inside) => {
    const others = Array.from({ length: 4 }, () => open({ url: new URL(inside.url) }));
    const applied = await Promise.all(others.map((other) => migrate(other, loginTable)));
    for (const other of others) await other.close();
    deepStrictEqual(applied.flat(), names);
    await checkSchema(database, loginTable);
  });
});

for (let version = 1; version < migrations.length; version++) {
  Deno.test(`migrate() applies only what is missing when the schema has version ${version}`, async () => {
    await onEmpty(async (database, inside) => {
      await database.query(createMigrations);
      for (const { version: number, name, statement } of migrations.slice(0, version)) {
        await database.query(statement);
        await database.query(recordMigration, [number, name]);
      }
      deepStrictEqual(await migrate(database, loginTable), names.slice(version));
      await onEmpty(async (fresh, other) => {
        await migrate(fresh, loginTable);
        deepStrictEqual(await shapeOf(inside), await shapeOf(other));
      });
    });
  });
}

Deno.test("migrate() keeps the ledger when it upgrades from version 1", async () => {
  await onEmpty(async (database, inside) => {
    await database.query(createMigrations);
    const [first] = migrations;
    if (first) await database.query(first.statement);
    await database.query(recordMigration, [1, "ledger"]);
    await inside.query(
      "INSERT INTO maskline.ledger VALUES ('a', '2026-01-01', 'committed', gen_random_uuid())",
    );
    await migrate(database, loginTable);
    const store = new PostgresStore(database, loginTable);
    const { duplicates } = await store.commit(batchOf([eventRow("a", { dateSent: "2026-01-01" })]));
    deepStrictEqual(duplicates, new Set(["a"]));
  });
});

Deno.test("migrate() does not change the table, its rows, indexes and views when it exists", async () => {
  await onEmpty(async (database, inside) => {
    await inside.query(
      `CREATE TABLE user_logins (user_id varchar(128), device_type varchar(32),
        masked_ip varchar(256), masked_device_id varchar(256), locale varchar(32),
        app_version integer, create_date date)`,
    );
    await inside.query(
      "INSERT INTO user_logins VALUES ('old', 'x', 'x', 'x', NULL, 1, '2020-01-01')",
    );
    await inside.query("CREATE INDEX theirs ON user_logins (user_id)");
    await inside.query("CREATE VIEW theirs_too AS SELECT * FROM user_logins");
    const before = (await shapeOf(inside)).filter((line) => line.startsWith("public."));
    await migrate(database, loginTable);
    const after = (await shapeOf(inside)).filter((line) => line.startsWith("public."));
    deepStrictEqual(after, before);
    deepStrictEqual(await inside.query("SELECT user_id FROM user_logins"), [{ user_id: "old" }]);
  });
});

Deno.test("migrate() works without the right to create the table when another role owns it", async () => {
  await onEmpty(async (owner, inside) => {
    await owner.query(createTable(loginTable));
    const role = `guest_${crypto.randomUUID().slice(0, 8)}`;
    await inside.query(`CREATE ROLE ${role} LOGIN`);
    await inside.query(`GRANT CREATE ON DATABASE ${inside.name} TO ${role}`);
    await inside.query("REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    const url = new URL(inside.url);
    url.username = role;
    const database = open({ url });
    deepStrictEqual(await migrate(database, loginTable), names);
    await checkSchema(database, loginTable);
    await database.close();
    await inside.query(`DROP OWNED BY ${role}`);
    await inside.query(`DROP ROLE ${role}`);
  });
});

Deno.test("migrate() creates nothing when one step fails", async () => {
  await onEmpty(async (database, inside) => {
    // The third migration creates a table of this name.
    await inside.query("CREATE SCHEMA maskline");
    await inside.query("CREATE TABLE maskline.dedupe ()");
    const before = await shapeOf(inside);
    await rejects(() => migrate(database, loginTable), { kind: "fatal", code: "42P07" });
    deepStrictEqual(await shapeOf(inside), before);
  });
});

Deno.test("migrate() is fatal, and names the privilege, when the role may not create a schema", async () => {
  await onEmpty(async (_, inside) => {
    const role = `guest_${crypto.randomUUID().slice(0, 8)}`;
    await inside.query(`CREATE ROLE ${role} LOGIN`);
    const url = new URL(inside.url);
    url.username = role;
    const database = open({ url });
    await rejects(() => migrate(database, loginTable), (error) => {
      match(String(error), /42501: permission denied for database/);
      return true;
    });
    await database.close();
    await inside.query(`DROP ROLE ${role}`);
  });
});
