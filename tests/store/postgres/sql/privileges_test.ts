import { deepStrictEqual, rejects } from "node:assert";
import { checkSchema } from "../../../../lib/store/postgres/check_schema.ts";
import type { Database } from "../../../../lib/store/postgres/database.ts";
import { PostgresStore } from "../../../../lib/store/postgres/postgres_store.ts";
import {
  findMissingPrivileges,
  type MissingPrivilegesOptions,
} from "../../../../lib/store/postgres/sql/privileges.ts";
import type { OriginalRow } from "../../../../lib/store/store.ts";
import { sharedPostgres } from "../../../support/shared_postgres.ts";
import {
  batchOf,
  createStore,
  eventRow,
  loginTable,
  open,
  rejectedRow,
  TODAY,
} from "../../../support/test_store.ts";

const server = await sharedPostgres();

/** The privileges of a writer, apart from using the schema and reading its version. */
const needed: readonly string[] = [
  'INSERT on "public"."user_logins"',
  "INSERT on maskline.ledger",
  "SELECT on maskline.ledger",
  "INSERT on maskline.rejected",
  "EXECUTE on maskline.make_ledger_days",
];
const neededForKeys: readonly string[] = ["INSERT on maskline.dedupe", "SELECT on maskline.dedupe"];
const neededForVault: readonly string[] = [
  "INSERT on maskline.vault",
  "SELECT (field) on maskline.vault",
  "SELECT (mask) on maskline.vault",
  "SELECT (last_seen) on maskline.vault",
  "UPDATE (last_seen) on maskline.vault",
];

/** Runs `work` as a role that has these privileges and no other. */
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

async function missing(database: Database, options: MissingPrivilegesOptions): Promise<string[]> {
  const rows = await database.query<{ what: string }>(findMissingPrivileges(loginTable, options));
  return rows.map(({ what }) => what).sort();
}

/** Commits in every way: new, rejected, a duplicate, and a duplicate by key. */
async function commitAll(database: Database, options: MissingPrivilegesOptions): Promise<void> {
  await checkSchema(database, loginTable);
  const store = new PostgresStore(database, loginTable, options);
  await store.probe();
  const events = [eventRow("a", { key: "d:1" }), eventRow("b", { key: "d:2" })];
  await store.commit(batchOf(events, [rejectedRow("c")], [originalRow("a")]));
  deepStrictEqual((await store.commit(batchOf(events))).duplicates.size, 2);
  await store.commit(batchOf([eventRow("d", { key: "d:3" })], [], [originalRow("d")]));
}

/** Creates the original of an event, always the same one. */
function originalRow(id: string): OriginalRow {
  const sealed = Uint8Array.of(0, 255, 92, 34);
  return { id, dateSent: TODAY, field: "ip", mask: "k1.same", sealed, keyId: "v1" };
}

const ways: readonly [how: string, options: MissingPrivilegesOptions, all: readonly string[]][] = [
  ["without keys", {}, needed],
  ["with keys", { dedupe: true }, [...needed, ...neededForKeys]],
  ["with a vault", { vault: true }, [...needed, ...neededForVault]],
];
for (const [how, options, all] of ways) {
  Deno.test(`findMissingPrivileges() returns none, and a commit ${how} works, when all are granted`, async () => {
    await asWriter(all, async (database) => {
      deepStrictEqual(await missing(database, options), []);
      await commitAll(database, options);
    });
  });

  for (const privilege of all) {
    Deno.test(`findMissingPrivileges() names ${privilege}, and a commit ${how} fails, when it is not granted`, async () => {
      await asWriter(all.filter((other) => other !== privilege), async (database) => {
        deepStrictEqual(await missing(database, options), [privilege]);
        await rejects(() => commitAll(database, options), { kind: "fatal", code: "42501" });
      });
    });
  }
}

Deno.test("findMissingPrivileges() names all when a role has none", async () => {
  await asWriter([], async (database) => {
    deepStrictEqual(
      await missing(database, { dedupe: true, vault: true }),
      [...needed, ...neededForKeys, ...neededForVault].sort(),
    );
  });
});
