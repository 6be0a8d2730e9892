import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { isBalanced } from "../../lib/pipeline/counters.ts";
import { bodies } from "../support/bodies.ts";
import { createLine, startOn } from "../support/fake_line.ts";
import { listIds } from "../support/ids_of.ts";

Deno.test("run() stores a message once when it is redelivered while it is in flight", async () => {
  const { clock, queue, store, pipeline } = createLine();
  const [id = ""] = queue.send(["a"]);
  await clock.advance(100);
  queue.redeliver(id);
  await clock.advance(10_000);
  strictEqual(store.rows.length, 1);
  deepStrictEqual(queue.ids, []);
  deepStrictEqual([pipeline.counters.committed, pipeline.counters.duplicate], [1, 1]);
});

Deno.test("run() stores a message once when it is redelivered during its commit", async () => {
  const { clock, queue, store, pipeline } = createLine();
  const go = store.hold();
  const [id = ""] = queue.send(["a"]);
  await clock.advance(300);
  strictEqual(store.committing, 1);
  queue.redeliver(id);
  await clock.advance(2_000);
  go();
  await clock.advance(10_000);
  strictEqual(store.rows.length, 1);
  deepStrictEqual(queue.ids, []);
  deepStrictEqual([pipeline.counters.committed, pipeline.counters.duplicate], [1, 1]);
});

Deno.test("run() commits once when a message is redelivered while it is deleted", async () => {
  const { clock, queue, store, pipeline } = createLine();
  const go = queue.hold("delete");
  const [id = ""] = queue.send(["a"]);
  await clock.advance(300);
  queue.redeliver(id);
  await clock.advance(2_000);
  go();
  await clock.advance(10_000);
  strictEqual(store.tried.length, 1);
  deepStrictEqual(queue.ids, []);
  deepStrictEqual([pipeline.counters.committed, pipeline.counters.duplicate], [1, 1]);
});

Deno.test("run() deletes a message when it is redelivered after all its deletes failed", async () => {
  const { clock, queue, store, pipeline } = createLine();
  queue.fails = (call) => call === "delete" ? "InternalError" : undefined;
  queue.send(["a"]);
  await clock.advance(20_000);
  queue.fails = () => undefined;
  await clock.advance(20_000);
  strictEqual(store.tried.length, 1);
  deepStrictEqual(queue.ids, []);
  deepStrictEqual([pipeline.counters.committed, pipeline.counters.duplicate], [1, 1]);
});

Deno.test("run() stores a message once when its lease is lost while it waits", async () => {
  const { clock, queue, store, pipeline } = createLine({ limits: { batchMilliseconds: 60_000 } });
  queue.fails = (call) => call === "extend" ? "InternalError" : undefined;
  queue.send(["a"]);
  await clock.advance(40_000);
  strictEqual(pipeline.counters.released, 1);
  queue.fails = () => undefined;
  await clock.advance(120_000);
  strictEqual(store.rows.length, 1);
  deepStrictEqual(queue.ids, []);
  ok(isBalanced(pipeline.counters));
});

Deno.test("run() stores every message once when two workers share a queue that redelivers", async () => {
  const line = createLine();
  const other = startOn(line);
  const ids = line.queue.send(bodies(300));
  for (let step = 0; step < 100; step++) {
    for (const id of ids.slice(step, step + 5)) line.queue.redeliver(id);
    await line.clock.advance(50);
  }
  await line.clock.advance(60_000);
  deepStrictEqual(listIds(line.store.rows), ids);
  deepStrictEqual(line.queue.ids, []);
  strictEqual(line.pipeline.counters.committed + other.pipeline.counters.committed, 300);
});

Deno.test("run() stores a released message once when the commit that hung succeeds late", async () => {
  const line = createLine();
  const { clock, queue, store, stop } = line;
  const go = store.hold();
  const ids = queue.send(bodies(100));
  await clock.advance(5_000);
  stop.abort();
  await clock.advance(20_000);
  const next = startOn(line);
  await clock.advance(1_000);
  go();
  await clock.advance(60_000);
  deepStrictEqual(listIds(store.rows), ids);
  deepStrictEqual(queue.ids, []);
  ok(isBalanced(next.pipeline.counters));
});
