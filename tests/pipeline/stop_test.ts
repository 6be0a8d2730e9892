import { deepStrictEqual, rejects, strictEqual } from "node:assert";
import { stopInStages, type StopOptions } from "../../lib/pipeline/stop.ts";
import { countListeners } from "../support/listeners.ts";
import { ManualClock, settle } from "../support/manual_clock.ts";

/** Creates a stop of ten seconds whose parts end when a test resolves them. The calls are recorded in order. */
function create(options: Partial<StopOptions> = {}) {
  const clock = new ManualClock();
  const stop = new AbortController();
  const receiving = Promise.withResolvers<void>();
  const committing = Promise.withResolvers<void>();
  const finished = Promise.withResolvers<void>();
  const calls: string[] = [];
  const receiver = {
    stop: () => void calls.push("stop"),
    abort() {
      if (!calls.includes("abort")) calls.push("abort");
      receiving.resolve();
    },
  };
  const stopping = stopInStages({
    signal: stop.signal,
    receiver,
    receiving: receiving.promise,
    committing: committing.promise,
    canFinish: () => true,
    grace: () => 250,
    finish() {
      calls.push("finish");
      return finished.promise;
    },
    seconds: 10,
    clock,
    ...options,
  });
  let left: number | undefined;
  stopping.then((time) => left = time, () => {});
  return {
    clock,
    stop,
    receiving,
    committing,
    finished,
    calls,
    stopping,
    left: () => left,
  };
}

Deno.test("stopInStages() does nothing when no stop is requested", async () => {
  const { clock, calls } = create();
  await clock.advance(3_600_000);
  deepStrictEqual(calls, []);
});

Deno.test("stopInStages() first stops receiving, then aborts receives, then finishes", async () => {
  const { clock, stop, calls } = create();
  stop.abort();
  await settle();
  deepStrictEqual(calls, ["stop"]);
  await clock.advance(250);
  deepStrictEqual(calls, ["stop", "abort", "finish"]);
});

Deno.test("stopInStages() does not wait for the grace period when receiving ends at once", async () => {
  const { stop, receiving, calls } = create();
  stop.abort();
  receiving.resolve();
  await settle();
  strictEqual(calls.at(-1), "finish");
});

Deno.test("stopInStages() ends when everything is finished", async () => {
  const { clock, stop, finished, left } = create();
  stop.abort();
  await clock.advance(2_000);
  strictEqual(left(), undefined);
  finished.resolve();
  await settle();
  strictEqual(left(), 8_000);
});

Deno.test("stopInStages() ends a second before the limit when finishing takes too long", async () => {
  const { clock, stop, left } = create();
  stop.abort();
  await clock.advance(8_999);
  strictEqual(left(), undefined);
  await clock.advance(1);
  strictEqual(left(), 1_000);
});

Deno.test("stopInStages() reserves a fifth of the limit for releasing when the limit is short", async () => {
  const { clock, stop, left } = create({ seconds: 1 });
  stop.abort();
  await clock.advance(800);
  strictEqual(left(), 200);
});

Deno.test("stopInStages() does not finish when it cannot succeed", async () => {
  const { clock, stop, calls, left } = create({ canFinish: () => false });
  stop.abort();
  await clock.advance(250);
  deepStrictEqual(calls, ["stop", "abort"]);
  strictEqual(left(), 9_750);
});

Deno.test("stopInStages() finishes when receiving ends without a stop", async () => {
  const { receiving, calls } = create();
  receiving.resolve();
  await settle();
  strictEqual(calls.at(-1), "finish");
});

Deno.test("stopInStages() stops at once when its signal has already aborted", async () => {
  const { calls } = create({ signal: AbortSignal.abort() });
  await settle();
  deepStrictEqual(calls, ["stop"]);
});

Deno.test("stopInStages() reads the grace period when the stop begins", async () => {
  let held = 0;
  const { clock, stop, calls } = create({ grace: () => held });
  held = 700;
  stop.abort();
  await clock.advance(699);
  deepStrictEqual(calls, ["stop"]);
  await clock.advance(1);
  deepStrictEqual(calls, ["stop", "abort", "finish"]);
});

Deno.test("stopInStages() aborts receives in time when the limit is shorter than the grace period", async () => {
  const { clock, stop, calls, left } = create({ seconds: 1, grace: () => 60_000 });
  stop.abort();
  await clock.advance(750);
  strictEqual(calls.at(-1), "finish");
  await clock.advance(50);
  strictEqual(left(), 200);
});

Deno.test("stopInStages() throws when committing fails, after the grace period of the receives", async () => {
  const { clock, committing, stopping, calls } = create();
  committing.reject(new Error("Fatal"));
  await settle();
  deepStrictEqual(calls, ["stop"]);
  await clock.advance(250);
  await rejects(stopping, /Fatal/);
  deepStrictEqual(calls, ["stop", "abort"]);
});

Deno.test("stopInStages() throws when receiving fails", async () => {
  const { receiving, stopping } = create();
  receiving.reject(new Error("Broken"));
  await rejects(stopping, /Broken/);
});

Deno.test("stopInStages() throws when finishing fails", async () => {
  const { stop, stopping, receiving, finished } = create();
  stop.abort();
  receiving.resolve();
  finished.reject(new Error("Fatal"));
  await rejects(stopping, /Fatal/);
});

Deno.test("stopInStages() leaves no timer and no listener when it has ended", async () => {
  const stop = new AbortController();
  const listeners = countListeners(stop.signal);
  const { clock, receiving, finished, stopping } = create({ signal: stop.signal });
  receiving.resolve();
  finished.resolve();
  await stopping;
  strictEqual(clock.sleeping, 0);
  strictEqual(listeners(), 0);
});
