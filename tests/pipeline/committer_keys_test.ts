import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { type CountersSnapshot, isBalanced } from "../../lib/pipeline/counters.ts";
import { formatUtcDate, type Transformed } from "../../lib/pipeline/transform.ts";
import type { Message } from "../../lib/queue/queue.ts";
import { createLine as createFakeLine } from "../support/fake_line.ts";

/** The body is the event's key. `!` creates a rejection. */
function transform({ id, body, sentAt }: Message): Transformed {
  if (body === "!") {
    return {
      kind: "rejection",
      rejection: { reason: "missing", field: "event_id", storeCode: null },
    };
  }
  const row = { id, dateSent: formatUtcDate(sentAt), values: [body], key: `d:${body}` };
  return { kind: "row", row, personal: [], unknownFields: 0 };
}

/** Creates a line with one committer, so that batches are committed one after the other. */
function createLine() {
  return createFakeLine({ transform, limits: { committers: 1 } });
}

function countsOf(books: CountersSnapshot) {
  ok(isBalanced(books));
  const { received, committed, duplicate, rejected, inFlight } = books;
  return { received, committed, duplicate, rejected, inFlight };
}

Deno.test("run() stores an event once when a batch has it under several message ids", async () => {
  const { clock, queue, store, pipeline } = createLine();
  const [first] = queue.send(["a", "b", "a", "a"]);
  await clock.advance(2_000);
  deepStrictEqual(store.rows.map(({ values }) => values[0]), ["a", "b"]);
  strictEqual(store.rows[0]?.id, first);
  deepStrictEqual(queue.ids, []);
  deepStrictEqual(countsOf(pipeline.counters), {
    received: 4,
    committed: 2,
    duplicate: 2,
    rejected: 0,
    inFlight: 0,
  });
});

Deno.test("run() stores an event once when it is received later under another message id", async () => {
  const { clock, queue, store, pipeline } = createLine();
  queue.send(["a"]);
  await clock.advance(2_000);
  queue.send(["a", "a", "b"]);
  await clock.advance(2_000);
  deepStrictEqual(store.rows.map(({ values }) => values[0]), ["a", "b"]);
  deepStrictEqual(queue.ids, []);
  const { committed, duplicate } = pipeline.counters;
  deepStrictEqual([committed, duplicate], [2, 2]);
});

Deno.test("run() stores the next message of an event when the store refuses the first", async () => {
  const { clock, queue, store, pipeline } = createLine();
  const [bad = "", good = ""] = queue.send(["a", "a", "b", "a"]);
  store.badRows.add(bad);
  await clock.advance(2_000);
  deepStrictEqual(store.rejections.map(({ id }) => id), [bad]);
  deepStrictEqual(store.rows.map(({ values }) => values[0]).sort(), ["a", "b"]);
  ok(store.rows.some(({ id }) => id === good));
  deepStrictEqual(queue.ids, []);
  deepStrictEqual(countsOf(pipeline.counters), {
    received: 4,
    committed: 2,
    duplicate: 1,
    rejected: 1,
    inFlight: 0,
  });
});

Deno.test("run() rejects every message of an event when the store refuses each", async () => {
  const { clock, queue, store, pipeline } = createLine();
  const ids = queue.send(["a", "a", "a"]);
  for (const id of ids) store.badRows.add(id);
  await clock.advance(2_000);
  deepStrictEqual(store.rejections.map(({ id }) => id).sort(), ids);
  deepStrictEqual([store.rows.length, store.keys.size], [0, 0]);
  strictEqual(pipeline.counters.rejected, 3);
});

Deno.test("run() rejects refused messages one by one when they have no key", async () => {
  const { clock, queue, store, pipeline } = createLine();
  queue.send(["!", "!", "a"]);
  await clock.advance(2_000);
  strictEqual(store.rejections.length, 2);
  deepStrictEqual([pipeline.counters.committed, pipeline.counters.rejected], [1, 2]);
});

Deno.test("run() counts the same when the answer to the batch was lost", async () => {
  const { clock, queue, store, pipeline } = createLine();
  store.failures.push({ kind: "transient", committed: true });
  queue.send(["a", "a", "b"]);
  await clock.advance(60_000);
  strictEqual(store.rows.length, 2);
  deepStrictEqual(queue.ids, []);
  deepStrictEqual(countsOf(pipeline.counters), {
    received: 3,
    committed: 2,
    duplicate: 1,
    rejected: 0,
    inFlight: 0,
  });
});

Deno.test("run() needs one commit for each batch when all messages are the same event", async () => {
  const { clock, queue, store, pipeline } = createLine();
  queue.send(Array.from({ length: 100 }, () => "a"));
  await clock.advance(5_000);
  strictEqual(store.rows.length, 1);
  deepStrictEqual([pipeline.counters.committed, pipeline.counters.duplicate], [1, 99]);
  ok(store.tried.length <= 10, `${store.tried.length} commits`);
});
