import { rejects, strictEqual } from "node:assert";
import { withTimeout } from "../../lib/base/clock.ts";
import { ManualClock } from "../support/manual_clock.ts";

Deno.test("withTimeout() returns true and leaves no timer when the work ends in time", async () => {
  const clock = new ManualClock();
  strictEqual(await withTimeout(Promise.resolve("done"), 1000, clock), true);
  strictEqual(clock.sleeping, 0);
});

Deno.test("withTimeout() returns false when the work is late", async () => {
  const clock = new ManualClock();
  const waiting = withTimeout(new Promise(() => {}), 1000, clock);
  await clock.advance(1000);
  strictEqual(await waiting, false);
});

Deno.test("withTimeout() throws when the work fails in time", async () => {
  const clock = new ManualClock();
  await rejects(withTimeout(Promise.reject(new Error("Broken")), 1000, clock), /Broken/);
  strictEqual(clock.sleeping, 0);
});

Deno.test("withTimeout() ignores a failure when it is late", async () => {
  const clock = new ManualClock();
  const work = Promise.withResolvers<void>();
  const waiting = withTimeout(work.promise, 1000, clock);
  await clock.advance(1000);
  strictEqual(await waiting, false);
  // An unhandled rejection would end the test run here.
  work.reject(new Error("Too late"));
  await clock.advance(1);
});

Deno.test("withTimeout() does not wait when no time remains", async () => {
  const clock = new ManualClock();
  const waiting = withTimeout(new Promise(() => {}), -5, clock);
  await clock.advance(0);
  strictEqual(await waiting, false);
});
