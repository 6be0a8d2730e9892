import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { bodies } from "../support/bodies.ts";
import { createLine } from "../support/fake_line.ts";
import { listIds } from "../support/ids_of.ts";

const HOUR_MS = 3_600_000;

Deno.test("run() stores every message once and deletes it when no call fails", async () => {
  const { clock, queue, store, pipeline } = createLine();
  const ids = queue.send(bodies(500));
  await clock.advance(5_000);
  deepStrictEqual(listIds(store.rows), ids);
  deepStrictEqual(queue.ids, []);
  const { received, committed, inFlight } = pipeline.counters;
  deepStrictEqual([received, committed, inFlight], [500, 500, 0]);
});

Deno.test("run() rejects bad messages and deletes them", async () => {
  const { clock, queue, store, pipeline } = createLine();
  const ids = queue.send(["bad", "good", "bad"]);
  await clock.advance(1_000);
  deepStrictEqual(listIds(store.rejections), [ids[0], ids[2]]);
  deepStrictEqual(queue.ids, []);
  strictEqual(pipeline.counters.rejected, 2);
});

Deno.test("run() needs at most 25 further commits when one row among 1,000 is bad", async () => {
  const { clock, queue, store } = createLine({
    limits: { batchRows: 1_000, maxInFlight: 1_100, batchMilliseconds: 1_000 },
  });
  const ids = queue.send(bodies(1_000));
  store.badRows.add(ids[700] ?? "");
  await clock.advance(10_000);
  strictEqual(store.rows.length, 999);
  strictEqual(store.rejections.length, 1);
  ok(store.tried.length - 1 <= 25, `${store.tried.length - 1} further commits`);
  deepStrictEqual(queue.ids, []);
});

Deno.test("run() never has more than maxInFlight messages in flight when the store is slow", async () => {
  const { clock, queue, store, pipeline } = createLine({ limits: { maxInFlight: 35 } });
  queue.send(bodies(300));
  const go = store.hold();
  for (let i = 0; i < 100; i++) {
    await clock.advance(500);
    ok(pipeline.counters.inFlight <= 35, `${pipeline.counters.inFlight} in flight`);
  }
  go();
  await clock.advance(60_000);
  strictEqual(store.rows.length, 300);
});

// An earlier version did not limit the pending deletes, so their number grew with every receive.
Deno.test("run() receives slowly while deletes are refused, and deletes all when they work again", async () => {
  const { clock, queue, store, pipeline } = createLine();
  queue.fails = (call) => call === "delete" ? "AccessDenied" : undefined;
  queue.send(bodies(5_000));
  await clock.advance(1_000);
  ok(pipeline.counters.received <= 400, `${pipeline.counters.received} received`);
  queue.fails = () => undefined;
  await clock.advance(300_000);
  strictEqual(store.rows.length, 5_000);
  deepStrictEqual(queue.ids, []);
});

Deno.test("run() accumulates no timers when it runs and is idle for days", async () => {
  const { clock, queue, store } = createLine();
  let most = 0;
  for (let hour = 0; hour < 72; hour++) {
    queue.send(bodies(120));
    await clock.advance(HOUR_MS);
    most = Math.max(most, clock.sleeping);
  }
  strictEqual(store.rows.length, 72 * 120);
  // The long poll and the timer of the leases.
  strictEqual(most, 2);
});

Deno.test("run() ends when the queue is empty and its option is to drain the queue", async () => {
  const { clock, queue, store, ended, result } = createLine({ untilEmpty: true });
  const ids = queue.send(bodies(321));
  await clock.advance(30_000);
  strictEqual(ended(), true);
  deepStrictEqual(listIds(store.rows), ids);
  deepStrictEqual(queue.ids, []);
  strictEqual(result.books?.committed, 321);
});

Deno.test("run() does not end on an empty queue while messages are in flight", async () => {
  const { clock, queue, store, ended } = createLine({ untilEmpty: true });
  const go = store.hold();
  queue.send(["a"]);
  await clock.advance(120_000);
  strictEqual(ended(), false);
  go();
  await clock.advance(10_000);
  strictEqual(ended(), true);
});

Deno.test("run() does not end on an empty queue while a delete is pending", async () => {
  const { clock, queue, ended } = createLine({ untilEmpty: true });
  const go = queue.hold("delete");
  queue.send(["a"]);
  // Longer than the time limit of a stop.
  await clock.advance(60_000);
  strictEqual(ended(), false);
  go();
  await clock.advance(10_000);
  strictEqual(ended(), true);
  deepStrictEqual(queue.ids, []);
});
