import { deepStrictEqual, strictEqual } from "node:assert";
import { Counters, isBalanced } from "../../lib/pipeline/counters.ts";

Deno.test("isBalanced() is true when nothing has happened", () => {
  strictEqual(isBalanced(new Counters().snapshot()), true);
});

Deno.test("snapshot() counts a message as in flight when it was received and has no outcome", () => {
  const books = new Counters();
  books.receive();
  const { received, inFlight } = books.snapshot();
  deepStrictEqual({ received, inFlight }, { received: 1, inFlight: 1 });
});

Deno.test("isBalanced() is true when each receipt has its outcome", () => {
  const books = new Counters();
  for (let i = 0; i < 6; i++) books.receive();
  for (const outcome of ["committed", "duplicate", "rejected"] as const) books.settle(outcome);
  books.settle("released", 2);
  deepStrictEqual(books.snapshot(), {
    received: 6,
    committed: 1,
    duplicate: 1,
    rejected: 1,
    released: 2,
    inFlight: 1,
  });
  strictEqual(isBalanced(books.snapshot()), true);
});

Deno.test("isBalanced() is false when an outcome was counted twice", () => {
  const books = new Counters();
  books.receive();
  books.settle("committed");
  books.settle("committed");
  strictEqual(isBalanced(books.snapshot()), false);
});

Deno.test("isBalanced() is false when a receipt is missing", () => {
  const books = new Counters().snapshot();
  strictEqual(isBalanced({ ...books, received: 1 }), false);
});

Deno.test("snapshot() does not change when the counters change later", () => {
  const books = new Counters();
  const before = books.snapshot();
  books.receive();
  strictEqual(before.received, 0);
});

Deno.test("unknownFields is the sum when several messages have unknown fields", () => {
  const books = new Counters();
  books.countUnknownFields(2);
  books.countUnknownFields(3);
  strictEqual(books.unknownFields, 5);
});
