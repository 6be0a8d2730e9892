import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { StoreError } from "../../lib/store/store.ts";
import { bodies } from "../support/bodies.ts";
import { createLine } from "../support/fake_line.ts";

Deno.test("run() releases everything and deletes nothing when the store's error is fatal", async () => {
  const { clock, queue, store, result } = createLine({ limits: { committers: 1 } });
  store.failures.push({ kind: "fatal" });
  const ids = queue.send(bodies(120));
  await clock.advance(10_000);
  ok(result.error instanceof StoreError);
  strictEqual(result.error.kind, "fatal");
  deepStrictEqual(queue.visible.sort(), ids);
  deepStrictEqual(queue.calls.delete, []);
});

Deno.test("run() keeps the counters balanced when the store's error is fatal", async () => {
  const { clock, queue, store, pipeline } = createLine();
  store.failures.push(undefined, { kind: "fatal" });
  queue.send(bodies(500));
  await clock.advance(30_000);
  const { received, committed, released, inFlight } = pipeline.counters;
  strictEqual(inFlight, 0);
  strictEqual(received, committed + released);
  strictEqual(committed, store.rows.length);
});

// In an earlier version a message that was stored meanwhile was counted as released, and then deleted.
Deno.test("run() waits for a commit in progress when another one fails with a fatal error", async () => {
  const { clock, queue, store, pipeline, ended } = createLine();
  const go = store.hold();
  store.failures.push(undefined);
  queue.send(bodies(50));
  await clock.advance(500);
  // The second committer's batch fails at once. The first one's is still in progress.
  const held = store.commit.bind(store);
  store.commit = (batch) =>
    batch.events.some(({ values }) => values[0] === "fatal")
      ? Promise.reject(new StoreError("fatal", "42P01", "The table is not there"))
      : held(batch);
  queue.send(["fatal"]);
  await clock.advance(3_000);
  strictEqual(ended(), false);
  go();
  await clock.advance(1_000);
  strictEqual(ended(), true);
  strictEqual(store.rows.length, 50);
  deepStrictEqual([pipeline.counters.committed, pipeline.counters.released], [50, 1]);
  strictEqual(queue.ids.length, 1);
});

Deno.test("run() still ends when a commit hangs while another one fails with a fatal error", async () => {
  const { clock, queue, store, pipeline, ended } = createLine();
  queue.send(bodies(50));
  const commit = store.commit.bind(store);
  store.commit = (batch) => {
    if (batch.events.length === 50) return new Promise(() => {});
    store.failures.push({ kind: "fatal" });
    return commit(batch);
  };
  await clock.advance(500);
  queue.send(["a"]);
  await clock.advance(25_000);
  strictEqual(ended(), true);
  strictEqual(pipeline.counters.released, 51);
});

Deno.test("run() releases everything and throws when transforming fails", async () => {
  const { clock, queue, result, pipeline } = createLine({
    transform({ body }) {
      if (body === "broken") throw new TypeError("A fault of the program");
      return { kind: "rejection", rejection: { reason: "not_json", field: null, storeCode: null } };
    },
  });
  const [id = ""] = queue.send(["broken"]);
  await clock.advance(10_000);
  ok(result.error instanceof TypeError);
  deepStrictEqual(queue.visible, [id]);
  strictEqual(pipeline.counters.inFlight, 0);
});
