import { deepStrictEqual, strictEqual } from "node:assert";
import { openSession } from "../../support/open_session.ts";
import { until } from "../../support/progress.ts";
import { sharedPostgres } from "../../support/shared_postgres.ts";
import {
  batchOf,
  countAll,
  createStore,
  eventRow,
  openStore,
  rejectedRow,
  type TestStore,
} from "../../support/test_store.ts";

const server = await sharedPostgres();

const name = (index: number) => `m${String(index).padStart(5, "0")}`;

/** Creates rows `from` to `to`, in the order in which the pipeline sorts a batch. */
function range(from: number, to: number, keyed = false) {
  return Array.from({ length: to - from }, (_, offset) => {
    const id = name(from + offset);
    // The keys have another order than the ids.
    return eventRow(id, keyed ? { key: `d:${[...id].reverse().join("")}` } : {});
  });
}

/** Counts the statements that wait for another transaction. */
async function waiting({ inside }: TestStore): Promise<number> {
  const [row] = await inside.query<{ count: number }>(
    `SELECT count(*)::integer FROM pg_stat_activity
      WHERE wait_event_type = 'Lock' AND datname = current_database()`,
  );
  return row?.count ?? 0;
}

for (const dedupe of [false, true]) {
  const how = dedupe ? " by key" : "";

  Deno.test(`commit() stores nothing twice and never deadlocks when two stores overlap${how}`, async () => {
    await using line = await createStore(server, { dedupe });
    const other = openStore(line.inside, { dedupe });
    const stores = [line.store, other.store];
    let duplicates = 0;
    for (let round = 0; round < 20; round++) {
      const from = round * 200;
      const batches = [
        batchOf(range(from, from + 150, dedupe), [rejectedRow(name(from + 170))]),
        batchOf(range(from + 50, from + 170, dedupe), [rejectedRow(name(from + 170))]),
        batchOf(range(from, from + 170, dedupe)),
        batchOf(range(from + 100, from + 120, dedupe), [rejectedRow(name(from + 170))]),
      ];
      // A deadlock would end one of them with 40P01.
      const results = await Promise.all(
        batches.map((batch, index) => stores[index % 2]?.commit(batch)),
      );
      duplicates += results.reduce((sum, result) => sum + (result?.duplicates.size ?? 0), 0);
    }
    await other.store.close();
    const keys = dedupe ? 20 * 170 : 0;
    deepStrictEqual(await countAll(line), {
      rows: 20 * 170,
      rejected: 20,
      ledger: 20 * 171,
      keys,
    });
    strictEqual(duplicates, 20 * (151 + 121 + 170 + 21 - 171));
  });
}

for (
  const [end, what, duplicates, rows] of [
    ["COMMIT", "returns its ids as duplicates when it commits", ["a"], 2],
    ["ROLLBACK", "writes its ids when it rolls back", [], 3],
  ] as const
) {
  Deno.test(`commit() waits for another transaction, and ${what}`, async () => {
    await using line = await createStore(server);
    await line.store.commit(batchOf([eventRow("before")]));
    await using session = await openSession(line.inside.url);
    await session.query("BEGIN");
    await session.query(
      `INSERT INTO maskline.ledger SELECT 'a', max(date_sent), 'committed', gen_random_uuid()
        FROM maskline.ledger`,
    );
    const committing = line.store.commit(batchOf([eventRow("a"), eventRow("b")]));
    await until(() => waiting(line), (count) => count === 1);
    await session.query(end);
    deepStrictEqual((await committing).duplicates, new Set(duplicates));
    strictEqual((await countAll(line)).rows, rows);
  });
}

Deno.test("commit() waits for the key of another transaction, and returns the message as a duplicate when it commits", async () => {
  await using line = await createStore(server, { dedupe: true });
  await using session = await openSession(line.inside.url);
  await session.query("BEGIN");
  await session.query("INSERT INTO maskline.dedupe VALUES ('d:1', current_date)");
  const events = [eventRow("a", { key: "d:1" }), eventRow("b", { key: "d:2" })];
  const committing = line.store.commit(batchOf(events));
  await until(() => waiting(line), (count) => count === 1);
  await session.query("COMMIT");
  deepStrictEqual((await committing).duplicates, new Set(["a"]));
  deepStrictEqual(await countAll(line), { rows: 1, rejected: 0, ledger: 1, keys: 2 });
});
