import { deepStrictEqual, strictEqual } from "node:assert";
import { walkBlocks } from "../../../lib/store/postgres/walk_blocks.ts";
import { sharedPostgres } from "../../support/shared_postgres.ts";
import { createStore, type TestStore } from "../../support/test_store.ts";

const server = await sharedPostgres();

/** Walks a table of the schema public, and counts the rows of each range. */
async function walk({ database, inside }: TestStore, name: string, pages: number) {
  const found: { reached: number; rows: number }[] = [];
  for await (const range of walkBlocks(database, { schema: "public", name }, pages)) {
    const rows = await inside.query(
      `SELECT FROM "${name}" WHERE ctid >= $1::tid AND ctid < $2::tid`,
      [range.from, range.end],
    );
    found.push({ reached: range.reached, rows: rows.length });
  }
  return found;
}

Deno.test("walkBlocks() returns every row once when ranges are small or large", async () => {
  await using store = await createStore(server);
  await store.inside.query(
    "CREATE TABLE many AS SELECT repeat('x', 500) AS text FROM generate_series(1, 1000)",
  );
  for (const pages of [1, 7, 1000]) {
    const found = await walk(store, "many", pages);
    strictEqual(found.reduce((sum, { rows }) => sum + rows, 0), 1000);
    strictEqual(found.length, Math.ceil((found.at(-1)?.reached ?? 0) / pages));
  }
});

Deno.test("walkBlocks() returns the rows of all partitions when each has its own blocks", async () => {
  await using store = await createStore(server);
  const { inside } = store;
  await inside.query("CREATE TABLE parted (number integer) PARTITION BY RANGE (number)");
  for (const [from, to] of [[0, 10], [10, 3000]]) {
    await inside.query(
      `CREATE TABLE parted_${from} PARTITION OF parted FOR VALUES FROM (${from}) TO (${to})`,
    );
  }
  await inside.query("INSERT INTO parted SELECT * FROM generate_series(0, 2999)");
  const found = await walk(store, "parted", 6);
  strictEqual(found.reduce((sum, { rows }) => sum + rows, 0), 3000);
  strictEqual(found[0]?.reached, 2);
});

Deno.test("walkBlocks() returns no range when the table is empty or missing", async () => {
  await using store = await createStore(server);
  deepStrictEqual(await walk(store, "user_logins", 1), []);
  deepStrictEqual(await walk(store, "missing", 1), []);
});
