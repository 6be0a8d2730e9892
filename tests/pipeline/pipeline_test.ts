import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { balances } from "../../lib/pipeline/books.ts";
import { StoreError } from "../../lib/store/store.ts";
import { createLine, startOn } from "../support/fake_line.ts";
import { countListeners } from "../support/listeners.ts";
import { settle } from "../support/manual_clock.ts";

const HOUR_MS = 3_600_000;

function bodies(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `body ${index}`);
}

function idsOf(rows: readonly { id: string }[]): string[] {
  return rows.map(({ id }) => id).sort();
}

Deno.test("run() stores every message once and deletes it when nothing goes wrong", async () => {
  const { clock, queue, store, pipeline } = createLine();
  const ids = queue.send(bodies(500));
  await clock.advance(5_000);
  deepStrictEqual(idsOf(store.rows), ids);
  deepStrictEqual(queue.ids, []);
  const { received, committed, inFlight } = pipeline.books;
  deepStrictEqual([received, committed, inFlight], [500, 500, 0]);
});

Deno.test("run() sets bad messages aside and deletes them", async () => {
  const { clock, queue, store, pipeline } = createLine();
  const ids = queue.send(["bad", "good", "bad"]);
  await clock.advance(1_000);
  deepStrictEqual(idsOf(store.rejections), [ids[0], ids[2]]);
  deepStrictEqual(queue.ids, []);
  strictEqual(pipeline.books.rejected, 2);
});

Deno.test("run() costs at most 25 further commits when one row among 1,000 is bad", async () => {
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

Deno.test("run() stores a message once when it comes again while it is held", async () => {
  const { clock, queue, store, pipeline } = createLine();
  const [id = ""] = queue.send(["a"]);
  await clock.advance(100);
  queue.redeliver(id);
  await clock.advance(10_000);
  strictEqual(store.rows.length, 1);
  deepStrictEqual(queue.ids, []);
  deepStrictEqual([pipeline.books.committed, pipeline.books.duplicate], [1, 1]);
});

Deno.test("run() stores a message once when it comes again while it is committing", async () => {
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
  deepStrictEqual([pipeline.books.committed, pipeline.books.duplicate], [1, 1]);
});

Deno.test("run() asks the store once when a message comes again while it is deleted", async () => {
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
  deepStrictEqual([pipeline.books.committed, pipeline.books.duplicate], [1, 1]);
});

Deno.test("run() deletes when a message comes again whose deletes all failed", async () => {
  const { clock, queue, store, pipeline } = createLine();
  queue.fails = (call) => call === "delete" ? "InternalError" : undefined;
  queue.send(["a"]);
  await clock.advance(20_000);
  queue.fails = () => undefined;
  await clock.advance(20_000);
  strictEqual(store.tried.length, 1);
  deepStrictEqual(queue.ids, []);
  deepStrictEqual([pipeline.books.committed, pipeline.books.duplicate], [1, 1]);
});

Deno.test("run() stores a message once when its lease is lost while it waits", async () => {
  const { clock, queue, store, pipeline } = createLine({ limits: { batchMilliseconds: 60_000 } });
  queue.fails = (call) => call === "extend" ? "InternalError" : undefined;
  queue.send(["a"]);
  await clock.advance(40_000);
  strictEqual(pipeline.books.released, 1);
  queue.fails = () => undefined;
  await clock.advance(120_000);
  strictEqual(store.rows.length, 1);
  deepStrictEqual(queue.ids, []);
  ok(balances(pipeline.books));
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
  deepStrictEqual(idsOf(line.store.rows), ids);
  deepStrictEqual(line.queue.ids, []);
  strictEqual(line.pipeline.books.committed + other.pipeline.books.committed, 300);
});

Deno.test("run() counts a commit and no duplicate when only its answer got lost", async () => {
  const { clock, queue, store, pipeline } = createLine();
  store.failures.push({ kind: "transient", committed: true });
  queue.send(["a"]);
  await clock.advance(60_000);
  strictEqual(store.rows.length, 1);
  deepStrictEqual([pipeline.books.committed, pipeline.books.duplicate], [1, 0]);
});

Deno.test("run() stops receiving and keeps what it holds when the store is away for hours", async () => {
  const { clock, queue, store, pipeline } = createLine({ queue: { maxReceiveCount: 3 } });
  store.away = true;
  const ids = queue.send(bodies(1_000));
  await clock.advance(10_000);
  const { received } = pipeline.books;
  const calls = queue.calls.receive.length;
  await clock.advance(2 * HOUR_MS);
  strictEqual(pipeline.books.received, received);
  strictEqual(queue.calls.receive.length, calls);
  strictEqual(pipeline.books.inFlight, received);
  store.away = false;
  await clock.advance(120_000);
  deepStrictEqual(idsOf(store.rows), ids);
  deepStrictEqual(queue.deadLetters, []);
  deepStrictEqual(queue.ids, []);
});

Deno.test("run() lets nothing go to the dead letters when the store is away for a day", async () => {
  const { clock, queue, store } = createLine({ queue: { maxReceiveCount: 3 } });
  store.away = true;
  const ids = queue.send(bodies(300));
  // Longer than any lease may last: what waits is let go, what is committing is the ledger's matter.
  await clock.advance(24 * HOUR_MS);
  store.away = false;
  await clock.advance(120_000);
  deepStrictEqual(idsOf(store.rows), ids);
  deepStrictEqual(queue.deadLetters, []);
  deepStrictEqual(queue.ids, []);
});

Deno.test("run() never holds more than its bound when the store is slow", async () => {
  const { clock, queue, store, pipeline } = createLine({ limits: { maxInFlight: 35 } });
  queue.send(bodies(300));
  const go = store.hold();
  for (let i = 0; i < 100; i++) {
    await clock.advance(500);
    ok(pipeline.books.inFlight <= 35, `${pipeline.books.inFlight} in flight`);
  }
  go();
  await clock.advance(60_000);
  strictEqual(store.rows.length, 300);
});

// Nothing was counted against what waits to be deleted, so it grew with every receive.
Deno.test("run() receives slowly when deletes are refused, and all go once they are not", async () => {
  const { clock, queue, store, pipeline } = createLine();
  queue.fails = (call) => call === "delete" ? "AccessDenied" : undefined;
  queue.send(bodies(5_000));
  await clock.advance(1_000);
  ok(pipeline.books.received <= 400, `${pipeline.books.received} received`);
  queue.fails = () => undefined;
  await clock.advance(300_000);
  strictEqual(store.rows.length, 5_000);
  deepStrictEqual(queue.ids, []);
});

Deno.test("run() finishes what it holds when it is stopped", async () => {
  const { clock, queue, store, stop, result } = createLine();
  const ids = queue.send(bodies(30));
  await clock.advance(50);
  stop.abort();
  await clock.advance(20_000);
  deepStrictEqual(idsOf(store.rows), ids);
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

Deno.test("run() starts no receive when it was stopped before", async () => {
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

Deno.test("run() releases at once when it is stopped while the store is away", async () => {
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

Deno.test("run() ends in time and releases when a commit hangs at its stop", async () => {
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
  deepStrictEqual(idsOf(store.rows), ids);
  deepStrictEqual(queue.ids, []);
  ok(balances(next.pipeline.books));
});

// Each call of a silent queue takes five seconds: a stop used to wait for all of them, one by one.
Deno.test("run() ends in time when the queue does not answer at its stop", async () => {
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
  ok(result.books && balances(result.books));
});

Deno.test("run() ends in time when the queue is away at its stop", async () => {
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

Deno.test("run() gathers no timers when it works and rests for days", async () => {
  const { clock, queue, store } = createLine();
  let most = 0;
  for (let hour = 0; hour < 72; hour++) {
    queue.send(bodies(120));
    await clock.advance(HOUR_MS);
    most = Math.max(most, clock.sleeping);
  }
  strictEqual(store.rows.length, 72 * 120);
  // The long poll and the look after the leases.
  strictEqual(most, 2);
});

Deno.test("run() releases everything and deletes nothing when the store says fatal", async () => {
  const { clock, queue, store, result } = createLine({ limits: { committers: 1 } });
  store.failures.push({ kind: "fatal" });
  const ids = queue.send(bodies(120));
  await clock.advance(10_000);
  ok(result.error instanceof StoreError);
  strictEqual(result.error.kind, "fatal");
  deepStrictEqual(queue.visible.sort(), ids);
  deepStrictEqual(queue.calls.delete, []);
});

Deno.test("run() keeps balanced books when the store says fatal", async () => {
  const { clock, queue, store, pipeline } = createLine();
  store.failures.push(undefined, { kind: "fatal" });
  queue.send(bodies(500));
  await clock.advance(30_000);
  const { received, committed, released, inFlight } = pipeline.books;
  strictEqual(inFlight, 0);
  strictEqual(received, committed + released);
  strictEqual(committed, store.rows.length);
});

// What another committer stored in the meantime used to be booked as released, and then deleted.
Deno.test("run() waits for a commit under way when another one says fatal", async () => {
  const { clock, queue, store, pipeline, ended } = createLine();
  const go = store.hold();
  store.failures.push(undefined);
  queue.send(bodies(50));
  await clock.advance(500);
  // The second committer's batch fails at once; the first one's is still under way.
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
  deepStrictEqual([pipeline.books.committed, pipeline.books.released], [50, 1]);
  strictEqual(queue.ids.length, 1);
});

Deno.test("run() ends all the same when a commit hangs while another one says fatal", async () => {
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
  strictEqual(pipeline.books.released, 51);
});

Deno.test("run() releases everything and throws when transforming fails", async () => {
  const { clock, queue, result, pipeline } = createLine({
    transform({ body }) {
      if (body === "broken") throw new TypeError("A fault of the program");
      return { kind: "refusal", refusal: { reason: "not_json", field: null, sqlstate: null } };
    },
  });
  const [id = ""] = queue.send(["broken"]);
  await clock.advance(10_000);
  ok(result.error instanceof TypeError);
  deepStrictEqual(queue.visible, [id]);
  strictEqual(pipeline.books.inFlight, 0);
});

Deno.test("run() ends when the queue is empty, if it is told to", async () => {
  const { clock, queue, store, ended, result } = createLine({ untilEmpty: true });
  const ids = queue.send(bodies(321));
  await clock.advance(30_000);
  strictEqual(ended(), true);
  deepStrictEqual(idsOf(store.rows), ids);
  deepStrictEqual(queue.ids, []);
  strictEqual(result.books?.committed, 321);
});

Deno.test("run() does not end for being empty while something is held", async () => {
  const { clock, queue, store, ended } = createLine({ untilEmpty: true });
  const go = store.hold();
  queue.send(["a"]);
  await clock.advance(120_000);
  strictEqual(ended(), false);
  go();
  await clock.advance(10_000);
  strictEqual(ended(), true);
});

Deno.test("run() does not end for being empty while a delete is owed", async () => {
  const { clock, queue, ended } = createLine({ untilEmpty: true });
  const go = queue.hold("delete");
  queue.send(["a"]);
  // Longer than a stop would wait for it.
  await clock.advance(60_000);
  strictEqual(ended(), false);
  go();
  await clock.advance(10_000);
  strictEqual(ended(), true);
  deepStrictEqual(queue.ids, []);
});

Deno.test("storeIsUp follows the outage when the store goes away and comes back", async () => {
  const { clock, queue, store, pipeline } = createLine();
  strictEqual(pipeline.storeIsUp, true);
  store.away = true;
  queue.send(["a"]);
  await clock.advance(1_000);
  strictEqual(pipeline.storeIsUp, false);
  store.away = false;
  await clock.advance(60_000);
  strictEqual(pipeline.storeIsUp, true);
});
