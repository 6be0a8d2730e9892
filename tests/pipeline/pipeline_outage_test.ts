import { deepStrictEqual, strictEqual } from "node:assert";
import { bodies } from "../support/bodies.ts";
import { createLine } from "../support/fake_line.ts";
import { listIds } from "../support/ids_of.ts";
import { settle } from "../support/manual_clock.ts";

const HOUR_MS = 3_600_000;

Deno.test("run() counts a commit and no duplicate when only its answer was lost", async () => {
  const { clock, queue, store, pipeline } = createLine();
  store.failures.push({ kind: "transient", committed: true });
  queue.send(["a"]);
  await clock.advance(60_000);
  strictEqual(store.rows.length, 1);
  deepStrictEqual([pipeline.counters.committed, pipeline.counters.duplicate], [1, 0]);
});

Deno.test("run() stops receiving and keeps its messages in flight when the store is unavailable for hours", async () => {
  const { clock, queue, store, pipeline } = createLine({ queue: { maxReceiveCount: 3 } });
  store.away = true;
  const ids = queue.send(bodies(1_000));
  await clock.advance(10_000);
  const { received } = pipeline.counters;
  const calls = queue.calls.receive.length;
  await clock.advance(2 * HOUR_MS);
  strictEqual(pipeline.counters.received, received);
  strictEqual(queue.calls.receive.length, calls);
  strictEqual(pipeline.counters.inFlight, received);
  store.away = false;
  await clock.advance(120_000);
  deepStrictEqual(listIds(store.rows), ids);
  deepStrictEqual(queue.deadLetters, []);
  deepStrictEqual(queue.ids, []);
});

Deno.test("run() sends no message to the dead-letter queue when the store is unavailable for a day", async () => {
  const { clock, queue, store } = createLine({ queue: { maxReceiveCount: 3 } });
  store.away = true;
  const ids = queue.send(bodies(300));
  // Longer than the maximum lease: waiting messages are released, and the ledger handles those being committed.
  await clock.advance(24 * HOUR_MS);
  store.away = false;
  await clock.advance(120_000);
  deepStrictEqual(listIds(store.rows), ids);
  deepStrictEqual(queue.deadLetters, []);
  deepStrictEqual(queue.ids, []);
});

Deno.test("run() releases at once when it is stopped while the store is unavailable", async () => {
  const { clock, queue, store, stop, ended, result } = createLine();
  store.away = true;
  const ids = queue.send(bodies(100));
  await clock.advance(5_000);
  stop.abort();
  await settle();
  strictEqual(ended(), true);
  deepStrictEqual(queue.visible.sort(), ids);
  deepStrictEqual([result.books?.released, result.books?.inFlight], [result.books?.received, 0]);
});

Deno.test("storeIsUp follows the outage when the store becomes unavailable and recovers", async () => {
  const { clock, queue, store, pipeline } = createLine();
  strictEqual(pipeline.isStoreUp, true);
  store.away = true;
  queue.send(["a"]);
  await clock.advance(1_000);
  strictEqual(pipeline.isStoreUp, false);
  store.away = false;
  await clock.advance(60_000);
  strictEqual(pipeline.isStoreUp, true);
});
