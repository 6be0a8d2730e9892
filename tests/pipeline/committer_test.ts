import { deepStrictEqual, strictEqual } from "node:assert";
import { createCommitter } from "../support/create_committer.ts";
import { settle } from "../support/manual_clock.ts";
import { writeMessage } from "../support/messages.ts";

Deno.test("run() stores rows and passes their messages to the deleter", async () => {
  const { clock, store, books, committed, hold } = createCommitter();
  hold("a");
  hold("b");
  await clock.advance(200);
  deepStrictEqual(store.rows.map(({ id }) => id), ["a", "b"]);
  deepStrictEqual(committed, ["a/1", "b/1"]);
  strictEqual(books.snapshot().committed, 2);
  strictEqual(books.unknownFields, 2);
});

Deno.test("run() passes the newest handle on when a message was redelivered while it was in flight", async () => {
  const { clock, committed, books, holdings, hold } = createCommitter();
  hold("a");
  holdings.add(writeMessage("a", 2));
  await clock.advance(200);
  deepStrictEqual(committed, ["a/2"]);
  strictEqual(books.snapshot().duplicate, 1);
});

Deno.test("run() stores a message once when it is redelivered during its commit", async () => {
  const { clock, store, committed, books, holdings, hold } = createCommitter();
  const go = store.hold();
  hold("a");
  await clock.advance(200);
  strictEqual(holdings.add(writeMessage("a", 2)), null);
  go();
  await settle();
  strictEqual(store.rows.length, 1);
  deepStrictEqual(committed, ["a/2"]);
  deepStrictEqual([books.snapshot().committed, books.snapshot().duplicate], [1, 1]);
});

Deno.test("run() counts a duplicate and deletes it when another worker had committed it", async () => {
  const { clock, store, books, committed, hold } = createCommitter();
  store.ledger.set("a", "a batch of another worker");
  hold("a");
  await clock.advance(200);
  strictEqual(store.rows.length, 0);
  strictEqual(books.snapshot().duplicate, 1);
  deepStrictEqual(committed, ["a/1"]);
});

Deno.test("run() skips messages that were released while they waited", async () => {
  const { clock, store, holdings, committed, hold } = createCommitter();
  const lost = hold("a");
  hold("b");
  holdings.settle(lost, "released");
  await clock.advance(200);
  deepStrictEqual(store.rows.map(({ id }) => id), ["b"]);
  deepStrictEqual(committed, ["b/1"]);
});

Deno.test("run() commits nothing when all messages of a batch were released", async () => {
  const { clock, store, holdings, hold } = createCommitter();
  holdings.settle(hold("a"), "released");
  await clock.advance(200);
  strictEqual(store.tried.length, 0);
});

Deno.test("run() commits a message once when it was released and redelivered before its batch", async () => {
  const { clock, store, holdings, hold } = createCommitter();
  holdings.settle(hold("a"), "released");
  hold("a");
  await clock.advance(200);
  deepStrictEqual(store.tried.map(({ events }) => events.length), [1]);
});

Deno.test("run() marks the messages that it commits, so that a lost lease does not decide their outcome", async () => {
  const { clock, store, hold } = createCommitter();
  store.hold();
  const held = hold("a");
  strictEqual(held.committing, false);
  await clock.advance(200);
  strictEqual(held.committing, true);
});

Deno.test("run() sorts a batch by id, so that two workers cannot deadlock", async () => {
  const { clock, store, hold } = createCommitter();
  for (const id of ["c", "a", "b"]) hold(id);
  await clock.advance(200);
  deepStrictEqual(store.tried[0]?.events.map(({ id }) => id), ["a", "b", "c"]);
});

Deno.test("run() commits batches in parallel when there are several committers", async () => {
  const { clock, store, hold } = createCommitter({ committers: 2 });
  store.hold();
  hold("a");
  await clock.advance(200);
  hold("b");
  await clock.advance(200);
  strictEqual(store.committing, 2);
});

Deno.test("run() ends when the batcher is closed and empty", async () => {
  const { batcher, running } = createCommitter({ committers: 3 });
  batcher.close();
  await running;
});

Deno.test("run() commits the remaining items when the batcher is closed", async () => {
  const { batcher, store, running, hold } = createCommitter();
  hold("a");
  batcher.close();
  await running;
  strictEqual(store.rows.length, 1);
});
