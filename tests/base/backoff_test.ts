import fc from "fast-check";
import { ok, strictEqual, throws } from "node:assert";
import { backoff } from "../../lib/base/backoff.ts";

const most = { random: () => 1 };

Deno.test("backoff() returns the base when the attempt is the first", () => {
  strictEqual(backoff(1, most), 100);
});

Deno.test("backoff() doubles with each attempt when the delay is below the cap", () => {
  strictEqual(backoff(2, most), 200);
  strictEqual(backoff(5, most), 1_600);
});

Deno.test("backoff() returns the cap when the attempt is too large to double the base that often", () => {
  strictEqual(backoff(10, most), 30_000);
  strictEqual(backoff(Number.MAX_SAFE_INTEGER, most), 30_000);
});

Deno.test("backoff() uses another base and cap when they are set", () => {
  strictEqual(backoff(3, { ...most, base: 7, cap: 20 }), 20);
});

Deno.test("backoff() returns a random fraction of the delay when jitter is applied", () => {
  strictEqual(backoff(4, { random: () => 0 }), 0);
  strictEqual(backoff(4, { random: () => 0.5 }), 400);
});

Deno.test("backoff() stays between 0 and the cap when the random number is real", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 2 ** 31 }), (attempt) => {
    const delay = backoff(attempt);
    ok(delay >= 0 && delay <= 30_000, `${delay} ms`);
  }));
});

Deno.test("backoff() throws when the attempt is not a whole number from 1", () => {
  for (const attempt of [0, -1, 1.5, NaN, Infinity]) {
    throws(() => backoff(attempt), { name: "RangeError", message: /from 1, got/ });
  }
});
