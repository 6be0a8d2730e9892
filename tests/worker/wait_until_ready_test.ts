import { createQueueError } from "../../lib/queue/sqs/deadline.ts";
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert";
import { QueueError } from "../../lib/queue/queue.ts";
import { StoreError } from "../../lib/store/store.ts";
import { waitUntilReady } from "../../lib/worker/worker.ts";
import { ManualClock } from "../support/manual_clock.ts";

const unavailable = new StoreError(
  "transient",
  "ECONNREFUSED",
  "Postgres did not answer: ECONNREFUSED",
);

/** Waits for a database that fails with each of these errors in turn, and then answers. */
function opening(...failures: readonly Error[]) {
  const clock = new ManualClock();
  const stop = new AbortController();
  const left = [...failures];
  const tries = { count: 0 };
  const open = async () => {
    tries.count++;
    const failure = left.shift();
    if (failure) throw failure;
    return "open";
  };
  const result = waitUntilReady("the database", open, stop.signal, clock);
  // A test that expects a failure awaits it later. Until then this handler catches it.
  result.catch(() => {});
  return { clock, stop, tries, result };
}

Deno.test("waitUntilReady() returns the result at once when the first attempt succeeds", async () => {
  const { result, tries } = opening();
  strictEqual(await result, "open");
  strictEqual(tries.count, 1);
});

Deno.test("waitUntilReady() retries until the database answers when it is unavailable", async () => {
  const { clock, result, tries } = opening(...Array.from({ length: 10 }, () => unavailable));
  await clock.until(() => tries.count === 11);
  strictEqual(await result, "open");
});

Deno.test("waitUntilReady() retries when the queue has transient failures", async () => {
  const codes = ["ECONNREFUSED", "deadline", "ThrottlingException", "ServiceUnavailable"];
  const { clock, result, tries } = opening(
    ...codes.map((code) => createQueueError("read the queue's attributes", code)),
  );
  await clock.until(() => tries.count === 5);
  strictEqual(await result, "open");
});

Deno.test("waitUntilReady() waits at most half a minute between two attempts when many fail", async () => {
  const { clock, tries } = opening(...Array.from({ length: 100 }, () => unavailable));
  await clock.advance(0);
  const waits: number[] = [];
  while (tries.count < 50) {
    strictEqual(clock.sleeping, 1);
    waits.push(clock.untilNext ?? NaN);
    await clock.advance(clock.untilNext ?? NaN);
  }
  ok((waits[0] ?? NaN) <= 100 && waits.every((wait) => wait <= 30_000));
  // The delay is jittered from 0 up, so only the sum of many is certain to be long.
  ok(waits.slice(20).reduce((sum, wait) => sum + wait, 0) > 60_000, `${waits}`);
});

const lasting: readonly Error[] = [
  new StoreError("fatal", "28P01", "wrong password"),
  new StoreError("fatal", "schema", "Maskline's tables do not exist"),
  new StoreError("data", "22001", "too long"),
  new QueueError("read the queue's attributes", "QueueDoesNotExist"),
  new QueueError("read the queue's attributes", "AccessDeniedException"),
  new RangeError("a bug"),
];
for (const error of lasting) {
  const { code = error.name } = error as { code?: string };
  Deno.test(`waitUntilReady() throws at once when the failure is permanent: ${code}`, async () => {
    const { result, tries } = opening(error);
    await rejects(() => result, error);
    strictEqual(tries.count, 1);
  });
}

Deno.test("waitUntilReady() throws when a permanent failure follows transient ones", async () => {
  const fatal = new StoreError("fatal", "3D000", "no such database");
  const { clock, result, tries } = opening(unavailable, unavailable, fatal);
  await clock.until(() => tries.count === 3);
  await rejects(() => result, fatal);
});

Deno.test("waitUntilReady() ends its wait, makes one more attempt and throws when it is stopped", async () => {
  const { clock, stop, result, tries } = opening(unavailable, unavailable, unavailable);
  await clock.advance(0);
  stop.abort();
  await rejects(() => result, unavailable);
  deepStrictEqual([tries.count, clock.sleeping], [2, 0]);
});

Deno.test("waitUntilReady() makes one attempt when it was stopped before", async () => {
  let tries = 0;
  const open = () => {
    tries++;
    return Promise.reject(unavailable);
  };
  await rejects(
    () => waitUntilReady("the queue", open, AbortSignal.abort(), new ManualClock()),
    unavailable,
  );
  strictEqual(tries, 1);
});
