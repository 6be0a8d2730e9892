import { ok, strictEqual, throws } from "node:assert";
import { RateLimiter } from "../../lib/pipeline/rate_limiter.ts";
import { ManualClock, settle } from "../support/manual_clock.ts";

const { signal } = new AbortController();

Deno.test("take() never waits when the rate is 0", async () => {
  const clock = new ManualClock();
  const limiter = new RateLimiter(0, clock);
  for (let i = 0; i < 1_000; i++) await limiter.take(10, signal);
  strictEqual(clock.sleeping, 0);
});

Deno.test("take() does not wait when tokens for one second are available", async () => {
  const limiter = new RateLimiter(100, new ManualClock());
  for (let i = 0; i < 10; i++) await limiter.take(10, signal);
});

Deno.test("take() waits for the missing tokens when the bucket is empty", async () => {
  const clock = new ManualClock();
  const limiter = new RateLimiter(100, clock);
  await limiter.take(100, signal);
  void limiter.take(10, signal);
  strictEqual(clock.untilNext, 100);
});

Deno.test("take() takes at most n + 1 seconds' worth in n seconds when eight callers never pause", async () => {
  const clock = new ManualClock();
  const limiter = new RateLimiter(50, clock);
  const stop = new AbortController();
  let taken = 0;
  const ask = async () => {
    while (!stop.signal.aborted) {
      await limiter.take(10, stop.signal);
      if (!stop.signal.aborted) taken += 10;
    }
  };
  const asking = Array.from({ length: 8 }, ask);
  for (let second = 1; second <= 20; second++) {
    await clock.advance(1_000);
    ok(taken <= 50 * (second + 1), `${taken} in ${second} s`);
  }
  ok(taken >= 50 * 20, `${taken} in 20 s`);
  stop.abort();
  await Promise.all(asking);
});

Deno.test("take() waits for all ten tokens when the rate is below ten a second", async () => {
  const clock = new ManualClock();
  const limiter = new RateLimiter(1, clock);
  let taken = 0;
  void limiter.take(10, signal).then(() => taken += 10);
  await clock.advance(8_999);
  strictEqual(taken, 0);
  await clock.advance(1);
  strictEqual(taken, 10);
});

Deno.test("take() accumulates no more than a second's worth when it is idle for long", async () => {
  const clock = new ManualClock();
  const limiter = new RateLimiter(100, clock);
  await clock.advance(3_600_000);
  await limiter.take(100, signal);
  void limiter.take(1, signal);
  strictEqual(clock.untilNext, 10);
});

Deno.test("refund() lets the next call pass when a receive returned nothing", async () => {
  const clock = new ManualClock();
  const limiter = new RateLimiter(10, clock);
  await limiter.take(10, signal);
  limiter.refund(10);
  await limiter.take(10, signal);
  strictEqual(clock.sleeping, 0);
});

Deno.test("take() ends early when its signal aborts", async () => {
  const clock = new ManualClock();
  const limiter = new RateLimiter(1, clock);
  const stop = new AbortController();
  const taking = limiter.take(1_000, stop.signal);
  await settle();
  stop.abort();
  await taking;
  strictEqual(clock.sleeping, 0);
});

Deno.test("RateLimiter() throws when the rate is negative or not finite", () => {
  for (const rate of [-1, NaN, Infinity]) {
    throws(() => new RateLimiter(rate), { name: "RangeError" });
  }
});
