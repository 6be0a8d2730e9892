import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert";
import { isBalanced } from "../../lib/pipeline/counters.ts";
import { createCommitter, rejection } from "../support/create_committer.ts";
import { listIds } from "../support/ids_of.ts";
import { SENT_AT } from "../support/messages.ts";

Deno.test("run() stores a rejection with its sealed body when a message is no event", async () => {
  const { clock, store, books, committed, hold } = createCommitter();
  hold("a", rejection);
  await clock.advance(200);
  deepStrictEqual(store.rejections, [{
    id: "a",
    dateSent: "2026-02-03",
    sentAt: SENT_AT,
    receiveCount: 1,
    reason: "missing",
    field: "ip",
    storeCode: null,
    sealed: { bytes: new Uint8Array([1]), keyId: "v1" },
  }]);
  strictEqual(books.snapshot().rejected, 1);
  deepStrictEqual(committed, ["a/1"]);
});

Deno.test("run() rejects a row and commits the others when the store refuses that row", async () => {
  const { clock, store, books, aside, hold } = createCommitter();
  store.badRows.add("b");
  for (const id of ["a", "b", "c"]) hold(id);
  await clock.advance(200);
  deepStrictEqual(listIds(store.rows), ["a", "c"]);
  const [rejection] = store.rejections;
  deepStrictEqual(
    [rejection?.id, rejection?.reason, rejection?.storeCode],
    ["b", "store_refused", "22001"],
  );
  deepStrictEqual(aside, ["b"]);
  deepStrictEqual([books.snapshot().committed, books.snapshot().rejected], [2, 1]);
  ok(isBalanced(books.snapshot()));
});

Deno.test("run() seals a body once when its batch is retried and split", async () => {
  const { clock, store, aside, hold } = createCommitter();
  store.failures.push({ kind: "transient" });
  store.badRows.add("c");
  hold("a", rejection);
  hold("b");
  hold("c");
  await clock.advance(10_000);
  deepStrictEqual(aside, ["a", "c"]);
  strictEqual(store.rejections.length, 2);
});

Deno.test("run() creates a new batch id for each part when a batch is split", async () => {
  const { clock, store, hold } = createCommitter();
  store.badRows.add("a");
  hold("a");
  hold("b");
  await clock.advance(200);
  strictEqual(new Set(store.tried.map(({ id }) => id)).size, store.tried.length);
});

Deno.test("run() drops a message and commits the others when the queue for rejections refuses its body", async () => {
  const { clock, store, books, holdings, committed, hold } = createCommitter({
    keepRejected: (messages) =>
      Promise.resolve(messages.map(({ id }) => id === "a" ? "refused" : null)),
  });
  for (const id of ["a", "b"]) hold(id, rejection);
  hold("c");
  await clock.advance(200);
  deepStrictEqual(store.rows.map(({ id }) => id), ["c"]);
  // The body of `b` is in the queue for rejections.
  deepStrictEqual([...store.ledger.keys()].toSorted(), ["b", "c"]);
  deepStrictEqual(committed.toSorted(), ["b/1", "c/1"]);
  strictEqual(holdings.size, 0);
  strictEqual(books.snapshot().released, 1);
});

Deno.test("run() throws a fatal error when the store refuses a rejection", async () => {
  const { clock, store, running, hold } = createCommitter();
  store.badRejections.add("a");
  hold("a", rejection);
  await clock.advance(200);
  await rejects(running, { kind: "fatal", code: "22001" });
});

// An earlier version threw the store's own `data` error, which stopped the worker without a reason.
Deno.test("run() throws a fatal error when the store refuses a row and its rejection", async () => {
  const { clock, store, running, hold } = createCommitter();
  store.badRows.add("a");
  store.badRejections.add("a");
  hold("a");
  await clock.advance(200);
  await rejects(running, { kind: "fatal", message: /rejection of message a, got the code 22001/ });
});
