import fc from "fast-check";
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { Counters, isBalanced } from "../../lib/pipeline/counters.ts";
import { type InFlightMessage, InFlightMessages } from "../../lib/pipeline/in_flight.ts";
import { countListeners } from "../support/listeners.ts";
import { ManualClock, settle } from "../support/manual_clock.ts";
import { writeMessage } from "../support/messages.ts";

function create({ maxMessages = 100, maxCharacters = 1_000 } = {}) {
  const books = new Counters();
  const clock = new ManualClock();
  const holdings = new InFlightMessages({ counters: books, clock, maxMessages, maxCharacters });
  return { books, clock, holdings };
}

function take(holdings: InFlightMessages, id: string, receipt = 1, body = "{}"): InFlightMessage {
  const held = holdings.add(writeMessage(id, receipt, body));
  ok(held, `${id} is held already`);
  return held;
}

Deno.test("add() returns null and keeps one entry when a message in flight is redelivered", () => {
  const { holdings } = create();
  take(holdings, "a");
  strictEqual(holdings.add(writeMessage("a", 2)), null);
  strictEqual(holdings.size, 1);
});

Deno.test("add() records the newer handle and lease when a message is redelivered", async () => {
  const { holdings, clock } = create();
  const held = take(holdings, "a");
  await clock.advance(5_000);
  holdings.add(writeMessage("a", 2));
  deepStrictEqual([held.handle, held.leasedAt, held.receivedAt], ["a/2", 5_000, 0]);
});

Deno.test("settle() counts one outcome and the rest as duplicates when a message was received three times", () => {
  const { holdings, books } = create();
  const held = take(holdings, "a");
  holdings.add(writeMessage("a", 2));
  holdings.add(writeMessage("a", 3));
  holdings.settle(held, "committed");
  const { received, committed, duplicate, inFlight } = books.snapshot();
  deepStrictEqual([received, committed, duplicate, inFlight], [3, 1, 2, 0]);
});

Deno.test("settle() counts every receipt as released when a message is released", () => {
  const { holdings, books } = create();
  const held = take(holdings, "a");
  holdings.add(writeMessage("a", 2));
  holdings.settle(held, "released");
  strictEqual(books.snapshot().released, 2);
});

Deno.test("settle() does nothing when it is called twice", () => {
  const { holdings, books } = create();
  const held = take(holdings, "a");
  holdings.settle(held, "released");
  holdings.settle(held, "committed");
  strictEqual(books.snapshot().committed, 0);
  ok(isBalanced(books.snapshot()));
});

Deno.test("settle() does not change the newer entry when a message was released and redelivered", () => {
  const { holdings } = create();
  const first = take(holdings, "a");
  holdings.settle(first, "released");
  const second = take(holdings, "a", 2);
  holdings.settle(first, "committed");
  deepStrictEqual([holdings.has(first), holdings.has(second)], [false, true]);
});

Deno.test("reserve() waits when all capacity is reserved, until it is released", async () => {
  const { holdings } = create({ maxMessages: 10 });
  const { signal } = new AbortController();
  strictEqual(await holdings.reserve(10, signal), true);
  let reserved = false;
  void holdings.reserve(10, signal).then(() => reserved = true);
  await settle();
  strictEqual(reserved, false);
  holdings.release(10);
  await settle();
  strictEqual(reserved, true);
});

Deno.test("reserve() waits when messages use all capacity, until enough of them are settled", async () => {
  const { holdings } = create({ maxMessages: 11 });
  const [a, b] = [take(holdings, "a"), take(holdings, "b")];
  let reserved = false;
  void holdings.reserve(10, new AbortController().signal).then(() => reserved = true);
  await settle();
  strictEqual(reserved, false);
  holdings.settle(a, "committed");
  await settle();
  strictEqual(reserved, true);
  ok(holdings.has(b));
});

Deno.test("reserve() waits when the bodies use all capacity", async () => {
  const { holdings } = create({ maxCharacters: 100 });
  const held = take(holdings, "a", 1, "x".repeat(100));
  let reserved = false;
  void holdings.reserve(10, new AbortController().signal).then(() => reserved = true);
  await settle();
  strictEqual(reserved, false);
  holdings.settle(held, "committed");
  await settle();
  strictEqual(reserved, true);
});

Deno.test("reserve() serves its callers in order when several wait", async () => {
  const { holdings } = create({ maxMessages: 10 });
  const { signal } = new AbortController();
  await holdings.reserve(10, signal);
  const served: number[] = [];
  for (const name of [1, 2, 3]) void holdings.reserve(10, signal).then(() => served.push(name));
  for (let i = 0; i < 3; i++) {
    await settle();
    holdings.release(10);
  }
  await settle();
  deepStrictEqual(served, [1, 2, 3]);
});

Deno.test("reserve() returns false and reserves nothing when its signal aborts", async () => {
  const { holdings } = create({ maxMessages: 10 });
  await holdings.reserve(10, new AbortController().signal);
  const stop = new AbortController();
  const waiting = holdings.reserve(10, stop.signal);
  stop.abort();
  strictEqual(await waiting, false);
  holdings.release(10);
  strictEqual(await holdings.reserve(10, new AbortController().signal), true);
});

Deno.test("reserve() leaves no listener on its signal when it waited many times", async () => {
  const { holdings } = create({ maxMessages: 10 });
  const { signal } = new AbortController();
  const listeners = countListeners(signal);
  await holdings.reserve(10, signal);
  for (let i = 0; i < 100; i++) {
    const waiting = holdings.reserve(10, signal);
    holdings.release(10);
    await waiting;
  }
  strictEqual(listeners(), 0);
});

Deno.test("InFlightMessages is balanced at every step when receipts and outcomes happen in any order", () => {
  const id = fc.integer({ min: 0, max: 5 }).map(String);
  const outcome = fc.constantFrom("committed", "duplicate", "rejected", "released" as const);
  const step = fc.oneof(
    fc.record({ kind: fc.constant("receive" as const), id }),
    fc.record({ kind: fc.constant("settle" as const), id, outcome }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
    const { holdings, books } = create();
    // Also those that were released long ago: settling them late must not count.
    const known: InFlightMessage[] = [];
    for (const action of steps) {
      if (action.kind === "receive") {
        const held = holdings.add(writeMessage(action.id));
        if (held) known.push(held);
      } else {
        for (const held of known) {
          if (held.message.id === action.id) holdings.settle(held, action.outcome);
        }
      }
      ok(isBalanced(books.snapshot()));
      const receipts = holdings.all().reduce((sum, held) => sum + held.receipts, 0);
      strictEqual(books.snapshot().inFlight, receipts);
    }
  }));
});
