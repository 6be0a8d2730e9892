import { ok, strictEqual, throws } from "node:assert";
import { RateLimiter } from "../../lib/pipeline/rate_limiter.ts";
import { ManualClock, settle } from "../support/manual_clock.ts";

const { signal } = new AbortController();

Deno.test("take() never waits when the rate is 0", async () => {
  const clock = new ManualClock();
  const pace = new RateLimiter(0, clock);
  for (let i = 0; i < 1_000; i++) await pace.take(10, signal);
  strictEqual(clock.sleeping, 0);
});

Deno.test("take() does not wait when a second's worth is there", async () => {
  const pace = new RateLimiter(100, new ManualClock());
  for (let i = 0; i < 10; i++) await pace.take(10, signal);
});

Deno.test("take() waits for what is missing when the bucket is empty", async () => {
  const clock = new ManualClock();
  const pace = new RateLimiter(100, clock);
  await pace.take(100, signal);
  void pace.take(10, signal);
  strictEqual(clock.untilNext, 100);
});

Deno.test("take() keeps to n + 1 seconds' worth in n seconds when eight ask without a pause", async () => {
  const clock = new ManualClock();
  const pace = new RateLimiter(50, clock);
  const stop = new AbortController();
  let taken = 0;
  const ask = async () => {
    while (!stop.signal.aborted) {
      await pace.take(10, stop.signal);
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

Deno.test("take() lets ten through now and then when the rate is below ten a second", async () => {
  const clock = new ManualClock();
  const pace = new RateLimiter(1, clock);
  let taken = 0;
  void pace.take(10, signal).then(() => taken += 10);
  await clock.advance(8_999);
  strictEqual(taken, 0);
  await clock.advance(1);
  strictEqual(taken, 10);
});

Deno.test("take() does not gather more than a second's worth when it is idle for long", async () => {
  const clock = new ManualClock();
  const pace = new RateLimiter(100, clock);
  await clock.advance(3_600_000);
  await pace.take(100, signal);
  void pace.take(1, signal);
  strictEqual(clock.untilNext, 10);
});

Deno.test("refund() lets the next one through when nothing came", async () => {
  const clock = new ManualClock();
  const pace = new RateLimiter(10, clock);
  await pace.take(10, signal);
  pace.refund(10);
  await pace.take(10, signal);
  strictEqual(clock.sleeping, 0);
});

Deno.test("take() ends early when its signal aborts", async () => {
  const clock = new ManualClock();
  const pace = new RateLimiter(1, clock);
  const stop = new AbortController();
  const taking = pace.take(1_000, stop.signal);
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
