import { deepStrictEqual, notStrictEqual, ok, rejects, strictEqual } from "node:assert";
import { StoreError } from "../../lib/store/store.ts";
import { createCommitter, rejection } from "../support/create_committer.ts";
import { listIds } from "../support/ids_of.ts";

Deno.test("run() tries the same batch again when the store was away", async () => {
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

Deno.test("run() books a commit and no duplicate when only the answer got lost", async () => {
  const { clock, store, books, hold } = createCommitter();
  store.failures.push({ kind: "transient", committed: true });
  hold("a");
  await clock.advance(10_000);
  strictEqual(store.rows.length, 1);
  deepStrictEqual([books.snapshot().committed, books.snapshot().duplicate], [1, 0]);
});

Deno.test("run() is no outage when the store refuses a row while one is thought to be", async () => {
  const { clock, store, outage, hold } = createCommitter();
  store.failures.push({ kind: "transient" });
  store.badRows.add("a");
  hold("a");
  await clock.advance(10_000);
  strictEqual(outage.isActive, false);
});

Deno.test("run() commits all when one of two committers meets an outage and the other does not", async () => {
  const { clock, store, outage, hold } = createCommitter({ committers: 2 });
  store.failures.push({ kind: "transient" });
  hold("a");
  await clock.advance(200);
  hold("b");
  await clock.advance(60_000);
  deepStrictEqual(listIds(store.rows), ["a", "b"]);
  strictEqual(outage.isActive, false);
});

Deno.test("run() ends and leaves its messages held when its signal aborts in an outage", async () => {
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

Deno.test("run() is no outage when a commit fails after its signal aborted", async () => {
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

// It used to seal what was left, or send it on to a queue, and then not to commit it.
Deno.test("run() touches nothing that is left when its signal aborted before closing", async () => {
  const { batcher, store, aside, holdings, stop, running, hold } = createCommitter();
  hold("a", rejection);
  stop.abort();
  batcher.close();
  await running;
  deepStrictEqual([aside, store.tried], [[], []]);
  strictEqual(holdings.size, 1);
});

Deno.test("run() throws and settles nothing when the store says fatal", async () => {
  const { clock, store, holdings, committed, running, hold } = createCommitter();
  store.failures.push({ kind: "fatal" });
  hold("a");
  await clock.advance(200);
  await rejects(running, { name: "StoreError", kind: "fatal" });
  strictEqual(holdings.size, 1);
  deepStrictEqual(committed, []);
});

Deno.test("run() throws when the store fails with what is no StoreError", async () => {
  const { clock, store, running, hold } = createCommitter();
  store.commit = () => Promise.reject(new TypeError("A fault of the program"));
  hold("a");
  await clock.advance(200);
  await rejects(running, TypeError);
});

Deno.test("run() says transient of nothing that it throws", async () => {
  const { clock, store, running, hold } = createCommitter();
  store.failures.push({ kind: "transient" }, { kind: "fatal" });
  hold("a");
  await clock.advance(10_000);
  const error = await running.then(() => undefined, (reason) => reason);
  ok(error instanceof StoreError);
  notStrictEqual(error.kind, "transient");
});
