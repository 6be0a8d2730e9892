import { deepStrictEqual, rejects } from "node:assert";
import { sharedPostgres } from "../../support/shared_postgres.ts";
import {
  batchOf,
  countAll,
  createStore,
  dayAfter,
  eventRow,
  openStore,
  rejectedRow,
  TODAY,
} from "../../support/test_store.ts";

const server = await sharedPostgres();

/** Creates message `id` of the event with this key. */
function keyed(id: string, key: string, more = {}) {
  return eventRow(id, { key: `d:${key}`, ...more });
}

Deno.test("commit() records the key of each event with the day sent when dedupe is on", async () => {
  await using line = await createStore(server, { dedupe: true });
  const yesterday = dayAfter(-1);
  await line.store.commit(batchOf([keyed("a", "1"), keyed("b", "2", { dateSent: yesterday })]));
  deepStrictEqual(
    await line.inside.query("SELECT key, date_sent::text FROM maskline.dedupe ORDER BY key"),
    [{ key: "d:1", date_sent: TODAY }, { key: "d:2", date_sent: yesterday }],
  );
});

Deno.test("commit() returns a duplicate when the key was committed under another message id", async () => {
  await using line = await createStore(server, { dedupe: true });
  await line.store.commit(batchOf([keyed("a", "1")]));
  const { duplicates } = await line.store.commit(batchOf([keyed("b", "1"), keyed("c", "2")]));
  deepStrictEqual(duplicates, new Set(["b"]));
  // The ledger has no entry for `b`, because each committed entry is a row.
  deepStrictEqual(await countAll(line), { rows: 2, rejected: 0, ledger: 2, keys: 2 });
});

Deno.test("commit() returns a duplicate when the key was sent on another day", async () => {
  await using line = await createStore(server, { dedupe: true });
  await line.store.commit(batchOf([keyed("a", "1", { dateSent: dayAfter(-9) })]));
  deepStrictEqual((await line.store.commit(batchOf([keyed("b", "1")]))).duplicates, new Set(["b"]));
});

Deno.test("commit() returns a duplicate when the message itself is redelivered", async () => {
  await using line = await createStore(server, { dedupe: true });
  await line.store.commit(batchOf([keyed("a", "1")]));
  deepStrictEqual((await line.store.commit(batchOf([keyed("a", "1")]))).duplicates, new Set(["a"]));
});

Deno.test("commit() returns a duplicate, and records its key, when the message was committed before dedupe was on", async () => {
  await using line = await createStore(server, { dedupe: true });
  const before = openStore(line.inside);
  await before.store.commit(batchOf([eventRow("a")]));
  await before.store.close();
  deepStrictEqual((await line.store.commit(batchOf([keyed("a", "1")]))).duplicates, new Set(["a"]));
  deepStrictEqual((await line.store.commit(batchOf([keyed("b", "1")]))).duplicates, new Set(["b"]));
  deepStrictEqual(await countAll(line), { rows: 1, rejected: 0, ledger: 1, keys: 1 });
});

Deno.test("commit() records no key when a message is rejected, so that the event may be resent", async () => {
  await using line = await createStore(server, { dedupe: true });
  await line.store.commit(batchOf([], [rejectedRow("a", { reason: "store_refused" })]));
  deepStrictEqual((await line.store.commit(batchOf([keyed("b", "1")]))).duplicates, new Set());
});

Deno.test("commit() records no key when the message was rejected before and is an event now", async () => {
  await using line = await createStore(server, { dedupe: true });
  await line.store.commit(batchOf([], [rejectedRow("a", { reason: "store_refused" })]));
  // Its delete failed, so it was redelivered. If its body is resent, the key must still be free.
  deepStrictEqual((await line.store.commit(batchOf([keyed("a", "1")]))).duplicates, new Set(["a"]));
  deepStrictEqual((await line.store.commit(batchOf([keyed("b", "1")]))).duplicates, new Set());
  deepStrictEqual(await countAll(line), { rows: 1, rejected: 1, ledger: 2, keys: 1 });
});

Deno.test("commit() records no key when one row of the batch does not fit", async () => {
  await using line = await createStore(server, { dedupe: true });
  const events = [keyed("a", "1"), keyed("b", "2", { type: "x".repeat(33) })];
  await rejects(() => line.store.commit(batchOf(events)), { kind: "data" });
  deepStrictEqual(await countAll(line), { rows: 0, rejected: 0, ledger: 0, keys: 0 });
  deepStrictEqual((await line.store.commit(batchOf([keyed("c", "1")]))).duplicates, new Set());
});

Deno.test("commit() treats keys as different when they differ in case, white space or accents", async () => {
  await using line = await createStore(server, { dedupe: true });
  const keys = ["a", "A", "a ", " a", "á", "a\u0301", 'a"', "a\\", "a,b", "{a}", "NULL"];
  const events = keys.map((key, index) => keyed(`m${index}`, key));
  deepStrictEqual((await line.store.commit(batchOf(events))).duplicates, new Set());
  deepStrictEqual((await countAll(line)).keys, keys.length);
});

Deno.test("commit() returns a duplicate when the longest key is committed again", async () => {
  await using line = await createStore(server, { dedupe: true });
  const key = "📱".repeat(128);
  await line.store.commit(batchOf([keyed("a", key)]));
  deepStrictEqual((await line.store.commit(batchOf([keyed("b", key)]))).duplicates, new Set(["b"]));
});

Deno.test("commit() commits rejections alone when no event is in the batch", async () => {
  await using line = await createStore(server, { dedupe: true });
  await line.store.commit(batchOf([], [rejectedRow("a"), rejectedRow("b")]));
  deepStrictEqual(await countAll(line), { rows: 0, rejected: 2, ledger: 2, keys: 0 });
});

Deno.test("commit() records no key when dedupe is off", async () => {
  await using line = await createStore(server);
  await line.store.commit(batchOf([keyed("a", "1")]));
  deepStrictEqual((await line.store.commit(batchOf([keyed("b", "1")]))).duplicates, new Set());
  deepStrictEqual(await countAll(line), { rows: 2, rejected: 0, ledger: 2, keys: 0 });
});
