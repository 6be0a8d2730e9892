import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { isBalanced } from "../../lib/pipeline/counters.ts";
import { bodies } from "../support/bodies.ts";
import { createLine, startOn } from "../support/fake_line.ts";
import { listIds } from "../support/ids_of.ts";
import { countListeners } from "../support/listeners.ts";
import { settle } from "../support/manual_clock.ts";

Deno.test("run() finishes its messages in flight when it is stopped", async () => {
  const { clock, queue, store, stop, result } = createLine();
  const ids = queue.send(bodies(30));
  await clock.advance(50);
  stop.abort();
  await clock.advance(20_000);
  deepStrictEqual(listIds(store.rows), ids);
  deepStrictEqual(queue.ids, []);
  deepStrictEqual(result.books, {
    received: 30,
    committed: 30,
    duplicate: 0,
    rejected: 0,
    released: 0,
    inFlight: 0,
  });
});

Deno.test("run() starts no receive when it is stopped", async () => {
  const { clock, queue, stop, ended } = createLine();
  await clock.advance(5_000);
  stop.abort();
  await clock.advance(0);
  const calls = queue.calls.receive.length;
  queue.send(bodies(500));
  await clock.advance(60_000);
  strictEqual(ended(), true);
  strictEqual(queue.calls.receive.length, calls);
});

Deno.test("run() starts no receive when it was stopped before it started", async () => {
  const { clock, queue, store, stop } = createLine();
  stop.abort();
  await clock.advance(20_000);
  queue.calls.receive.length = 0;
  queue.send(["a"]);
  const late = startOn({ clock, queue, store }, {}, stop);
  await settle();
  strictEqual(late.ended(), true);
  deepStrictEqual(queue.calls.receive, []);
});

Deno.test("run() ends in time and releases when a commit hangs during the stop", async () => {
  const { clock, queue, store, stop, ended, result } = createLine();
  store.hold();
  const ids = queue.send(bodies(100));
  await clock.advance(5_000);
  stop.abort();
  await clock.advance(20_000);
  strictEqual(ended(), true);
  deepStrictEqual(queue.visible.sort(), ids);
  deepStrictEqual([result.books?.released, result.books?.inFlight], [100, 0]);
});

// Each call without an answer takes five seconds. An earlier version waited for all of them in sequence.
Deno.test("run() ends in time when the queue does not answer during the stop", async () => {
  const { clock, queue, store, stop, ended, result } = createLine({
    limits: { maxInFlight: 2_000 },
  });
  store.hold();
  queue.send(bodies(2_000));
  await clock.advance(14_000);
  for (const call of ["delete", "extend", "release"] as const) queue.hold(call);
  await clock.advance(10_000);
  stop.abort();
  await clock.advance(20_000);
  strictEqual(ended(), true);
  strictEqual(result.books?.inFlight, 0);
  ok(result.books && isBalanced(result.books));
});

Deno.test("run() ends in time when the queue is unavailable during the stop", async () => {
  const { clock, queue, stop, ended, result } = createLine();
  queue.send(bodies(100));
  await clock.advance(100);
  queue.away = "ECONNREFUSED";
  stop.abort();
  await clock.advance(20_000);
  strictEqual(ended(), true);
  strictEqual(result.books?.inFlight, 0);
});

Deno.test("run() leaves no timer and no listener behind when it has ended", async () => {
  const line = createLine();
  line.stop.abort();
  await line.clock.advance(20_000);
  const stop = new AbortController();
  const listeners = countListeners(stop.signal);
  const drained = startOn(line, { untilEmpty: true }, stop);
  line.queue.send(bodies(100));
  await line.clock.advance(60_000);
  strictEqual(drained.ended(), true);
  strictEqual(listeners(), 0);
  strictEqual(line.clock.sleeping, 0);
});
