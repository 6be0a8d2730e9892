import { deepStrictEqual, notStrictEqual, ok, rejects, strictEqual } from "node:assert";
import { StoreError } from "../../lib/store/store.ts";
import { createCommitter, rejection } from "../support/create_committer.ts";
import { listIds } from "../support/ids_of.ts";

Deno.test("run() retries the same batch when the store was unavailable", async () => {
  const { clock, store, outage, hold } = createCommitter();
  store.away = true;
  hold("a");
  await clock.advance(60_000);
  strictEqual(outage.isActive, true);
  store.away = false;
  await clock.advance(60_000);
  const ids = new Set(store.tried.map(({ id }) => id));
  strictEqual(ids.size, 1);
  strictEqual(store.rows.length, 1);
  strictEqual(outage.isActive, false);
});

Deno.test("run() does not commit while the probe fails", async () => {
  const { clock, store, hold } = createCommitter();
  store.away = true;
  hold("a");
  await clock.advance(3_600_000);
  strictEqual(store.tried.length, 1);
});

Deno.test("run() counts a commit and no duplicate when only the answer was lost", async () => {
  const { clock, store, books, hold } = createCommitter();
  store.failures.push({ kind: "transient", committed: true });
  hold("a");
  await clock.advance(10_000);
  strictEqual(store.rows.length, 1);
  deepStrictEqual([books.snapshot().committed, books.snapshot().duplicate], [1, 0]);
});

Deno.test("run() ends the outage when the store refuses a row during one", async () => {
  const { clock, store, outage, hold } = createCommitter();
  store.failures.push({ kind: "transient" });
  store.badRows.add("a");
  hold("a");
  await clock.advance(10_000);
  strictEqual(outage.isActive, false);
});

Deno.test("run() commits all when only one of two committers meets an outage", async () => {
  const { clock, store, outage, hold } = createCommitter({ committers: 2 });
  store.failures.push({ kind: "transient" });
  hold("a");
  await clock.advance(200);
  hold("b");
  await clock.advance(60_000);
  deepStrictEqual(listIds(store.rows), ["a", "b"]);
  strictEqual(outage.isActive, false);
});

Deno.test("run() ends and leaves its messages in flight when its signal aborts during an outage", async () => {
  const { clock, store, holdings, batcher, stop, running, hold } = createCommitter();
  store.away = true;
  hold("a");
  await clock.advance(5_000);
  stop.abort();
  batcher.close();
  await running;
  strictEqual(holdings.size, 1);
  strictEqual(clock.sleeping, 0);
});

Deno.test("run() starts no outage when a commit fails after its signal aborted", async () => {
  const { clock, store, outage, batcher, stop, running, hold } = createCommitter();
  const go = store.hold();
  store.failures.push({ kind: "transient" });
  hold("a");
  await clock.advance(200);
  stop.abort();
  batcher.close();
  go();
  await running;
  strictEqual(outage.isActive, false);
});

// In an earlier version the rest was sealed, or sent to a queue, and then not committed.
Deno.test("run() does not process the rest when its signal aborted before closing", async () => {
  const { batcher, store, aside, holdings, stop, running, hold } = createCommitter();
  hold("a", rejection);
  stop.abort();
  batcher.close();
  await running;
  deepStrictEqual([aside, store.tried], [[], []]);
  strictEqual(holdings.size, 1);
});

Deno.test("run() throws and settles nothing when the store's error is fatal", async () => {
  const { clock, store, holdings, committed, running, hold } = createCommitter();
  store.failures.push({ kind: "fatal" });
  hold("a");
  await clock.advance(200);
  await rejects(running, { name: "StoreError", kind: "fatal" });
  strictEqual(holdings.size, 1);
  deepStrictEqual(committed, []);
});

Deno.test("run() throws when the store throws an error that is not a StoreError", async () => {
  const { clock, store, running, hold } = createCommitter();
  store.commit = () => Promise.reject(new TypeError("A fault of the program"));
  hold("a");
  await clock.advance(200);
  await rejects(running, TypeError);
});

Deno.test("run() throws the fatal error and no transient one when both kinds occur", async () => {
  const { clock, store, running, hold } = createCommitter();
  store.failures.push({ kind: "transient" }, { kind: "fatal" });
  hold("a");
  await clock.advance(10_000);
  const error = await running.then(() => undefined, (reason) => reason);
  ok(error instanceof StoreError);
  notStrictEqual(error.kind, "transient");
});
