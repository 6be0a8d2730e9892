import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { Counters, isBalanced } from "../../lib/pipeline/counters.ts";
import { type InFlightMessage, InFlightMessages } from "../../lib/pipeline/in_flight.ts";
import { Leases } from "../../lib/pipeline/leases.ts";
import { FakeQueue } from "../support/fake_queue.ts";
import { ManualClock, settle } from "../support/manual_clock.ts";

const HOUR_MS = 3_600_000;

/** Adds `count` messages of a queue with a lease of 30 s, and keeps their leases. */
async function create(count = 1) {
  const clock = new ManualClock();
  const queue = new FakeQueue({ clock });
  const books = new Counters();
  const holdings = new InFlightMessages({
    counters: books,
    clock,
    maxMessages: 1e4,
    maxCharacters: 1e9,
  });
  const stop = new AbortController();
  const leases = new Leases({ queue, inFlight: holdings, signal: stop.signal, clock });
  /** Receives every message that is visible now. */
  const receive = async () => {
    const { signal } = new AbortController();
    for (let got = 1; got > 0;) {
      const messages = await queue.receive({ waitSeconds: 0, signal });
      for (const message of messages) holdings.add(message);
      got = messages.length;
    }
  };
  queue.send(Array.from({ length: count }, () => "{}"));
  await receive();
  const running = leases.run();
  return { clock, queue, books, holdings, stop, leases, receive, running };
}

function first(holdings: InFlightMessages): InFlightMessage {
  const [held] = holdings.all();
  ok(held);
  return held;
}

Deno.test("run() extends nothing when less than half of a lease is over", async () => {
  const { clock, queue } = await create();
  await clock.advance(14_999);
  deepStrictEqual(queue.calls.extend, []);
});

Deno.test("run() extends in batches of ten when half of each lease is over", async () => {
  const { clock, queue } = await create(25);
  await clock.advance(15_000);
  deepStrictEqual(queue.calls.extend, [10, 10, 5]);
});

Deno.test("run() keeps messages hidden for hours when they are in flight", async () => {
  const { clock, queue, holdings } = await create(3);
  for (let minute = 0; minute < 120; minute++) {
    await clock.advance(60_000);
    deepStrictEqual(queue.visible, []);
  }
  strictEqual(holdings.size, 3);
});

Deno.test("run() extends with the newest handle when a message was redelivered", async () => {
  const { clock, queue, holdings, receive } = await create();
  const { id } = first(holdings).message;
  await clock.advance(5_000);
  queue.redeliver(id);
  await receive();
  const handles: string[] = [];
  queue.fails = (_, { handle }) => void handles.push(handle);
  await clock.advance(20_000);
  deepStrictEqual(handles, [first(holdings).handle]);
  strictEqual(first(holdings).receipts, 2);
});

Deno.test("run() measures the new lease when a message was redelivered", async () => {
  const { clock, queue, holdings, receive } = await create();
  await clock.advance(10_000);
  queue.redeliver(first(holdings).message.id);
  await receive();
  await clock.advance(14_000);
  deepStrictEqual(queue.calls.extend, []);
});

Deno.test("run() retries before the lease is over when the queue was unavailable for a while", async () => {
  const { clock, queue, holdings } = await create();
  queue.away = "ECONNREFUSED";
  await clock.advance(16_000);
  queue.away = undefined;
  await clock.advance(10_000);
  strictEqual(holdings.size, 1);
  await clock.advance(10_000);
  deepStrictEqual(queue.visible, []);
});

Deno.test("run() releases a message when its lease could not be extended", async () => {
  const { clock, queue, holdings, books } = await create();
  queue.away = "ECONNREFUSED";
  await clock.advance(31_000);
  strictEqual(holdings.size, 0);
  strictEqual(books.snapshot().released, 1);
  ok(isBalanced(books.snapshot()));
});

Deno.test("run() releases only the messages that failed when others were extended", async () => {
  const { clock, queue, holdings } = await create(3);
  queue.fails = (_, { id }) => id === "m00002" ? "InternalError" : undefined;
  await clock.advance(40_000);
  deepStrictEqual(holdings.all().map(({ message }) => message.id), ["m00001", "m00003"]);
});

Deno.test("run() keeps a message when it is being committed, although its lease is lost", async () => {
  const { clock, queue, holdings } = await create();
  first(holdings).committing = true;
  queue.away = "ECONNREFUSED";
  await clock.advance(HOUR_MS);
  strictEqual(holdings.size, 1);
});

Deno.test("run() requests no lease beyond 12 hours when a message is in flight that long", async () => {
  const { clock, queue, holdings } = await create();
  const refused: string[] = [];
  const longest = 12 * HOUR_MS;
  queue.fails = (call, { id }) => {
    if (clock.now() + 30_000 > longest) refused.push(`${call} ${id}`);
    return undefined;
  };
  await clock.advance(longest - 30_000);
  strictEqual(holdings.size, 1);
  await clock.advance(60_000);
  strictEqual(holdings.size, 0);
  deepStrictEqual(refused, []);
});

Deno.test("renew() never overestimates a lease when the call takes long", async () => {
  const { clock, queue, holdings } = await create();
  await clock.advance(14_000);
  const go = queue.hold("extend");
  await clock.advance(5_000);
  go();
  await settle();
  strictEqual(first(holdings).leasedAt, 15_000);
});

// An earlier version extended every message of the round's start, and warned of leases no longer needed.
Deno.test("renew() does not extend messages that were settled during the calls for earlier chunks", async () => {
  const { clock, queue, holdings } = await create(60);
  const go = queue.hold("extend");
  await clock.advance(15_000);
  for (const held of holdings.all().slice(40)) holdings.settle(held, "committed");
  go();
  await settle();
  deepStrictEqual(queue.calls.extend, [10, 10, 10, 10]);
});

// With thousands in flight and a queue that did not answer, a stop took minutes in an earlier version.
Deno.test("run() extends no further chunk when it is stopped during a round", async () => {
  const { clock, queue, stop, running } = await create(200);
  const go = queue.hold("extend");
  await clock.advance(15_000);
  stop.abort();
  go();
  await running;
  strictEqual(queue.calls.extend.length, 4);
});

Deno.test("run() ends at once and leaves no timer when it is stopped", async () => {
  const { clock, stop, running } = await create();
  await settle();
  stop.abort();
  await running;
  strictEqual(clock.sleeping, 0);
});

Deno.test("run() checks at most ten times a second when the lease is one second", async () => {
  const clock = new ManualClock();
  const queue = new FakeQueue({ clock, leaseSeconds: 1 });
  const holdings = new InFlightMessages({
    counters: new Counters(),
    clock,
    maxMessages: 10,
    maxCharacters: 1e9,
  });
  const { signal } = new AbortController();
  void new Leases({ queue, inFlight: holdings, signal, clock }).run();
  await settle();
  ok((clock.untilNext ?? 0) >= 100);
});
