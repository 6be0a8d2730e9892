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

/** Message `id` of the event with this key. */
function keyed(id: string, key: string, more = {}) {
  return eventRow(id, { key: `d:${key}`, ...more });
}

Deno.test("commit() notes each event's key with the day on which it was sent", async () => {
  await using line = await createStore(server, { dedupe: true });
  const yesterday = dayAfter(-1);
  await line.store.commit(batchOf([keyed("a", "1"), keyed("b", "2", { dateSent: yesterday })]));
  deepStrictEqual(
    await line.inside.query("SELECT key, date_sent::text FROM maskline.dedupe ORDER BY key"),
    [{ key: "d:1", date_sent: TODAY }, { key: "d:2", date_sent: yesterday }],
  );
});

Deno.test("commit() gives a duplicate when the key is known under another message id", async () => {
  await using line = await createStore(server, { dedupe: true });
  await line.store.commit(batchOf([keyed("a", "1")]));
  const { duplicates } = await line.store.commit(batchOf([keyed("b", "1"), keyed("c", "2")]));
  deepStrictEqual(duplicates, new Set(["b"]));
  // The ledger has no entry of `b`: each committed entry is a row.
  deepStrictEqual(await countAll(line), { rows: 2, rejected: 0, ledger: 2, keys: 2 });
});

Deno.test("commit() gives a duplicate when the key was sent on another day", async () => {
  await using line = await createStore(server, { dedupe: true });
  await line.store.commit(batchOf([keyed("a", "1", { dateSent: dayAfter(-9) })]));
  deepStrictEqual((await line.store.commit(batchOf([keyed("b", "1")]))).duplicates, new Set(["b"]));
});

Deno.test("commit() gives a duplicate when the message itself comes again", async () => {
  await using line = await createStore(server, { dedupe: true });
  await line.store.commit(batchOf([keyed("a", "1")]));
  deepStrictEqual((await line.store.commit(batchOf([keyed("a", "1")]))).duplicates, new Set(["a"]));
});

Deno.test("commit() gives a duplicate when the message came before keys were kept, and notes its key", async () => {
  await using line = await createStore(server, { dedupe: true });
  const before = openStore(line.inside);
  await before.store.commit(batchOf([eventRow("a")]));
  await before.store.close();
  deepStrictEqual((await line.store.commit(batchOf([keyed("a", "1")]))).duplicates, new Set(["a"]));
  deepStrictEqual((await line.store.commit(batchOf([keyed("b", "1")]))).duplicates, new Set(["b"]));
  deepStrictEqual(await countAll(line), { rows: 1, rejected: 0, ledger: 1, keys: 1 });
});

Deno.test("commit() takes no key for a rejection, so that the event may come again", async () => {
  await using line = await createStore(server, { dedupe: true });
  await line.store.commit(batchOf([], [rejectedRow("a", { reason: "store_refused" })]));
  deepStrictEqual((await line.store.commit(batchOf([keyed("b", "1")]))).duplicates, new Set());
});

Deno.test("commit() takes no key when the message was rejected before and comes as an event now", async () => {
  await using line = await createStore(server, { dedupe: true });
  await line.store.commit(batchOf([], [rejectedRow("a", { reason: "store_refused" })]));
  // Its delete failed, so it came again. Its body, sent once more, must not find its key taken.
  deepStrictEqual((await line.store.commit(batchOf([keyed("a", "1")]))).duplicates, new Set(["a"]));
  deepStrictEqual((await line.store.commit(batchOf([keyed("b", "1")]))).duplicates, new Set());
  deepStrictEqual(await countAll(line), { rows: 1, rejected: 1, ledger: 2, keys: 1 });
});

Deno.test("commit() takes no key when one row of the batch does not fit", async () => {
  await using line = await createStore(server, { dedupe: true });
  const events = [keyed("a", "1"), keyed("b", "2", { type: "x".repeat(33) })];
  await rejects(() => line.store.commit(batchOf(events)), { kind: "data" });
  deepStrictEqual(await countAll(line), { rows: 0, rejected: 0, ledger: 0, keys: 0 });
  deepStrictEqual((await line.store.commit(batchOf([keyed("c", "1")]))).duplicates, new Set());
});

Deno.test("commit() keeps keys apart when they differ in case, white space or accents", async () => {
  await using line = await createStore(server, { dedupe: true });
  const keys = ["a", "A", "a ", " a", "á", "a\u0301", 'a"', "a\\", "a,b", "{a}", "NULL"];
  const events = keys.map((key, index) => keyed(`m${index}`, key));
  deepStrictEqual((await line.store.commit(batchOf(events))).duplicates, new Set());
  deepStrictEqual((await countAll(line)).keys, keys.length);
});

Deno.test("commit() knows the longest key when it comes again", async () => {
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

Deno.test("commit() touches no key when keys are not kept", async () => {
  await using line = await createStore(server);
  await line.store.commit(batchOf([keyed("a", "1")]));
  deepStrictEqual((await line.store.commit(batchOf([keyed("b", "1")]))).duplicates, new Set());
  deepStrictEqual(await countAll(line), { rows: 2, rejected: 0, ledger: 2, keys: 0 });
});
