import { deepStrictEqual, rejects } from "node:assert";
import type { Batch } from "../../../lib/store/store.ts";
import { sharedPostgres } from "../../support/shared_postgres.ts";
import {
  batchOf,
  countAll,
  createStore,
  eventRow,
  rejectedRow,
  type TestStore,
  TODAY,
} from "../../support/test_store.ts";

const server = await sharedPostgres();

/** Commits, and returns the duplicates. */
async function commit({ store }: TestStore, batch: Batch): Promise<string[]> {
  return [...(await store.commit(batch)).duplicates].sort();
}

Deno.test("commit() writes rows, rejections and the ledger when all are new", async () => {
  await using store = await createStore(server);
  const batch = batchOf([eventRow("a"), eventRow("b")], [rejectedRow("c")]);
  deepStrictEqual(await commit(store, batch), []);
  deepStrictEqual(await countAll(store), { rows: 2, rejected: 1, ledger: 3, keys: 0 });
  deepStrictEqual(
    await store.inside.query(
      `SELECT message_id, date_sent::text, outcome::text, batch::text FROM maskline.ledger
        ORDER BY message_id`,
    ),
    [["a", "committed"], ["b", "committed"], ["c", "rejected"]].map(([message_id, outcome]) => ({
      message_id,
      date_sent: TODAY,
      outcome,
      batch: batch.id,
    })),
  );
});

Deno.test("commit() stores each value in the column of its field when a batch has events", async () => {
  await using store = await createStore(server);
  await commit(store, batchOf([eventRow("a", { dateSent: "2026-02-28" })]));
  deepStrictEqual(
    await store.inside.query("SELECT *, create_date::text AS create_date FROM user_logins"),
    [{
      user_id: "user-a",
      device_type: "android",
      masked_ip: "k1.ip-a",
      masked_device_id: "k1.device-a",
      locale: "DE",
      app_version: 1_002_003,
      create_date: "2026-02-28",
    }],
  );
});

Deno.test("commit() stores every property of a rejection when its body is sealed", async () => {
  await using store = await createStore(server);
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  const more = { receiveCount: 7, reason: "store_refused", field: null, storeCode: "22001" };
  await commit(store, batchOf([], [rejectedRow("a", { ...more, sealed: { bytes, keyId: "v9" } })]));
  const [row] = await store.inside.query<{ sealed: Uint8Array; fresh: boolean }>(
    `SELECT message_id, to_char(sent_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS') AS sent_at,
      rejected_at > now() - interval '1 minute' AS fresh, receive_count, reason, field, sqlstate,
      sealed, key_id, status FROM maskline.rejected`,
  );
  const { sealed, ...rest } = row ?? { sealed: [] };
  deepStrictEqual(new Uint8Array(sealed), bytes);
  deepStrictEqual(rest, {
    message_id: "a",
    sent_at: "2026-02-03 04:05:06.789",
    fresh: true,
    receive_count: 7,
    reason: "store_refused",
    field: null,
    sqlstate: "22001",
    key_id: "v9",
    status: "open",
  });
});

Deno.test("commit() records a rejection in the ledger only when its body was sent to a queue", async () => {
  await using store = await createStore(server);
  deepStrictEqual(await commit(store, batchOf([], [rejectedRow("a", { sealed: null })])), []);
  deepStrictEqual(await countAll(store), { rows: 0, rejected: 0, ledger: 1, keys: 0 });
});

Deno.test("commit() returns all messages as duplicates when a batch is committed again under another id", async () => {
  await using store = await createStore(server);
  const { events, rejections } = batchOf([eventRow("a"), eventRow("b")], [rejectedRow("c")]);
  await commit(store, batchOf(events, rejections));
  deepStrictEqual(await commit(store, batchOf(events, rejections)), ["a", "b", "c"]);
  deepStrictEqual(await countAll(store), { rows: 2, rejected: 1, ledger: 3, keys: 0 });
});

Deno.test("commit() stores NULL when a text and a number are null", async () => {
  await using store = await createStore(server);
  await commit(store, batchOf([eventRow("a", { locale: null, version: null })]));
  deepStrictEqual(
    await store.inside.query(
      "SELECT locale IS NULL AS l, app_version IS NULL AS v FROM user_logins",
    ),
    [{ l: true, v: true }],
  );
});

Deno.test("commit() commits nothing, and throws a data error, when one value does not fit", async () => {
  await using store = await createStore(server);
  const events = [eventRow("a"), eventRow("b", { type: "x".repeat(33) }), eventRow("c")];
  await rejects(() => commit(store, batchOf(events, [rejectedRow("d")])), {
    kind: "data",
    code: "22001",
  });
  deepStrictEqual(await countAll(store), { rows: 0, rejected: 0, ledger: 0, keys: 0 });
  deepStrictEqual(await commit(store, batchOf([eventRow("a"), eventRow("c")])), []);
});

Deno.test("commit() is fatal, and names the table, when it is missing", async () => {
  await using store = await createStore(server);
  await store.inside.query("DROP TABLE user_logins");
  await rejects(
    () => commit(store, batchOf([eventRow("a")])),
    { kind: "fatal", message: /42P01: relation "public.user_logins" does not exist/ },
  );
});

Deno.test("commit() commits 10,000 rows of the longest values when a batch has the maximum size", async () => {
  await using store = await createStore(server);
  const user = "€".repeat(128);
  const events = Array.from({ length: 10_000 }, (_, index) => eventRow(`m${index}`, { user }));
  deepStrictEqual(await commit(store, batchOf(events)), []);
  deepStrictEqual((await countAll(store)).rows, 10_000);
});

Deno.test("probe() is transient when the database is read-only, as after a failover", async () => {
  await using store = await createStore(server);
  const { name } = store.inside;
  await store.inside.query(`ALTER DATABASE "${name}" SET default_transaction_read_only = on`);
  await rejects(() => store.store.probe(), { kind: "transient", code: "25006" });
});
