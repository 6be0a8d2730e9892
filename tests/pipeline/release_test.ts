import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert";
import { Counters, isBalanced } from "../../lib/pipeline/counters.ts";
import { InFlightMessages } from "../../lib/pipeline/in_flight.ts";
import { releaseAll } from "../../lib/pipeline/release.ts";
import { FakeQueue } from "../support/fake_queue.ts";
import { ManualClock } from "../support/manual_clock.ts";

async function create(count: number) {
  const clock = new ManualClock();
  const queue = new FakeQueue({ clock });
  const books = new Counters();
  const holdings = new InFlightMessages({
    counters: books,
    clock,
    maxMessages: 1e4,
    maxCharacters: 1e9,
  });
  const ids = queue.send(Array.from({ length: count }, () => "{}"));
  const { signal } = new AbortController();
  while (queue.visible.length > 0) {
    for (const message of await queue.receive({ waitSeconds: 0, signal })) holdings.add(message);
  }
  const release = () => releaseAll({ queue, inFlight: holdings, milliseconds: 1_000, clock });
  return { clock, queue, books, holdings, ids, release };
}

Deno.test("releaseAll() makes all messages visible immediately, in batches of ten", async () => {
  const { queue, ids, release } = await create(25);
  await release();
  deepStrictEqual(queue.visible, ids);
  deepStrictEqual(queue.calls.release, [10, 10, 5]);
});

Deno.test("releaseAll() counts everything as released", async () => {
  const { books, holdings, release } = await create(25);
  await release();
  strictEqual(holdings.size, 0);
  strictEqual(books.snapshot().released, 25);
  ok(isBalanced(books.snapshot()));
});

Deno.test("releaseAll() calls nothing and waits for nothing when nothing is in flight", async () => {
  const { queue, clock, release } = await create(0);
  await release();
  deepStrictEqual(queue.calls.release, []);
  strictEqual(clock.sleeping, 0);
});

Deno.test("releaseAll() counts everything as released when the queue is unavailable", async () => {
  const { queue, books, release } = await create(12);
  queue.away = "ECONNREFUSED";
  await release();
  strictEqual(books.snapshot().released, 12);
});

Deno.test("releaseAll() releases by the newest handle when a message was redelivered", async () => {
  const { queue, holdings, release } = await create(1);
  queue.redeliver("m00001");
  const { signal } = new AbortController();
  for (const message of await queue.receive({ waitSeconds: 0, signal })) holdings.add(message);
  await release();
  deepStrictEqual(queue.visible, ["m00001"]);
});

// In an earlier version each call without an answer took five seconds: minutes for thousands of messages.
Deno.test("releaseAll() ends in time when the queue does not answer", async () => {
  const { clock, queue, books, release } = await create(500);
  const go = queue.hold("release");
  const releasing = release();
  await clock.advance(1_000);
  await releasing;
  strictEqual(books.snapshot().released, 500);
  go();
  await clock.advance(60_000);
  // Only the calls in progress. The process is about to end.
  strictEqual(queue.calls.release.length, 8);
});

Deno.test("releaseAll() throws when an error is not a QueueError", async () => {
  const { queue, release } = await create(1);
  queue.fails = () => {
    throw new TypeError("A fault of the program");
  };
  await rejects(release(), TypeError);
});
