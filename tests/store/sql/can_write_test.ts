import { deepStrictEqual, rejects } from "node:assert";
import type { Database } from "../../../lib/store/postgres.ts";
import { checkSchema } from "../../../lib/store/check_schema.ts";
import { PostgresStore } from "../../../lib/store/postgres_store.ts";
import { missingPrivileges } from "../../../lib/store/sql/can_write.ts";
import { sharedPostgres } from "../../support/shared_postgres.ts";
import {
  batchOf,
  createStore,
  eventRow,
  loginTable,
  open,
  rejectedRow,
} from "../../support/test_store.ts";

const server = await sharedPostgres();

/** What a writer needs besides entering the schema and reading its version. */
const needed: readonly string[] = [
  'INSERT on "public"."user_logins"',
  "INSERT on maskline.ledger",
  "SELECT on maskline.ledger",
  "INSERT on maskline.rejected",
  "EXECUTE on maskline.make_ledger_days",
];
const neededForKeys: readonly string[] = ["INSERT on maskline.dedupe", "SELECT on maskline.dedupe"];

/** Runs something as a role that has these privileges and no other. */
async function asWriter(
  privileges: readonly string[],
  work: (database: Database) => Promise<void>,
): Promise<void> {
  await using line = await createStore(server);
  const role = `writer_${crypto.randomUUID().slice(0, 8)}`;
  await line.inside.query(`CREATE ROLE ${role} LOGIN`);
  try {
    await line.inside.query(`GRANT USAGE ON SCHEMA maskline TO ${role}`);
    await line.inside.query(`GRANT SELECT ON maskline.migrations TO ${role}`);
    for (const privilege of privileges) {
      const [what = "", object = ""] = privilege.split(" on ");
      const name = what === "EXECUTE" ? `FUNCTION ${object}(date[])` : object;
      await line.inside.query(`GRANT ${what} ON ${name} TO ${role}`);
    }
    const url = new URL(line.inside.url);
    url.username = role;
    const database = open({ url });
    try {
      await work(database);
    } finally {
      await database.close();
    }
  } finally {
    await line.inside.query(`DROP OWNED BY ${role}`);
    await line.inside.query(`DROP ROLE ${role}`);
  }
}

async function missing(database: Database, dedupe: boolean): Promise<string[]> {
  const rows = await database.query<{ what: string }>(missingPrivileges(loginTable, dedupe));
  return rows.map(({ what }) => what).sort();
}

/** Every way to commit: new, rejected, again, and again by key. */
async function commitAll(database: Database, dedupe: boolean): Promise<void> {
  await checkSchema(database, loginTable);
  const store = new PostgresStore(database, loginTable, { dedupe });
  await store.probe();
  const events = [eventRow("a", { key: "d:1" }), eventRow("b", { key: "d:2" })];
  await store.commit(batchOf(events, [rejectedRow("c")]));
  deepStrictEqual((await store.commit(batchOf(events))).duplicates.size, 2);
}

for (const dedupe of [false, true]) {
  const all = dedupe ? [...needed, ...neededForKeys] : needed;
  const how = dedupe ? "with keys" : "without keys";

  Deno.test(`missingPrivileges() misses none, and committing works ${how}, when all are granted`, async () => {
    await asWriter(all, async (database) => {
      deepStrictEqual(await missing(database, dedupe), []);
      await commitAll(database, dedupe);
    });
  });

  for (const privilege of all) {
    Deno.test(`missingPrivileges() names ${privilege}, without which nothing commits ${how}`, async () => {
      await asWriter(all.filter((other) => other !== privilege), async (database) => {
        deepStrictEqual(await missing(database, dedupe), [privilege]);
        await rejects(() => commitAll(database, dedupe), { kind: "fatal", code: "42501" });
      });
    });
  }
}

Deno.test("missingPrivileges() names all when a role has none", async () => {
  await asWriter([], async (database) => {
    deepStrictEqual(await missing(database, true), [...needed, ...neededForKeys].sort());
  });
});
