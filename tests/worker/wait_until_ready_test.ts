import { createQueueError } from "../../lib/queue/sqs/deadline.ts";
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert";
import { QueueError } from "../../lib/queue/queue.ts";
import { StoreError } from "../../lib/store/store.ts";
import { waitUntilReady } from "../../lib/worker/worker.ts";
import { ManualClock } from "../support/manual_clock.ts";

const away = new StoreError("transient", "ECONNREFUSED", "Postgres did not answer: ECONNREFUSED");

/** Opens something that fails like this, time after time, and answers then. */
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
  // A test that expects a failure awaits it; until then nobody else would catch it.
  result.catch(() => {});
  return { clock, stop, tries, result };
}

Deno.test("waitUntilReady() gives what was opened at once when it answers", async () => {
  const { result, tries } = opening();
  strictEqual(await result, "open");
  strictEqual(tries.count, 1);
});

Deno.test("waitUntilReady() tries again until it answers when the database is away", async () => {
  const { clock, result, tries } = opening(...Array.from({ length: 10 }, () => away));
  await clock.until(() => tries.count === 11);
  strictEqual(await result, "open");
});

Deno.test("waitUntilReady() tries again when the queue fails for a while", async () => {
  const codes = ["ECONNREFUSED", "deadline", "ThrottlingException", "ServiceUnavailable"];
  const { clock, result, tries } = opening(
    ...codes.map((code) => createQueueError("read the queue's attributes", code)),
  );
  await clock.until(() => tries.count === 5);
  strictEqual(await result, "open");
});

Deno.test("waitUntilReady() waits between two tries, and for no longer than half a minute", async () => {
  const { clock, tries } = opening(...Array.from({ length: 100 }, () => away));
  await clock.advance(0);
  const waits: number[] = [];
  while (tries.count < 50) {
    strictEqual(clock.sleeping, 1);
    waits.push(clock.untilNext ?? NaN);
    await clock.advance(clock.untilNext ?? NaN);
  }
  ok((waits[0] ?? NaN) <= 100 && waits.every((wait) => wait <= 30_000));
  // The delay is jittered from nothing up, so only many of them together are surely long.
  ok(waits.slice(20).reduce((sum, wait) => sum + wait, 0) > 60_000, `${waits}`);
});

const lasting: readonly Error[] = [
  new StoreError("fatal", "28P01", "wrong password"),
  new StoreError("fatal", "schema", "Maskline's tables are not there"),
  new StoreError("data", "22001", "too long"),
  new QueueError("read the queue's attributes", "QueueDoesNotExist"),
  new QueueError("read the queue's attributes", "AccessDeniedException"),
  new RangeError("a fault of the program"),
];
for (const error of lasting) {
  const { code = error.name } = error as { code?: string };
  Deno.test(`waitUntilReady() gives up at once when waiting does not mend it: ${code}`, async () => {
    const { result, tries } = opening(error);
    await rejects(() => result, error);
    strictEqual(tries.count, 1);
  });
}

Deno.test("waitUntilReady() gives up when it learns after a while that waiting does not mend it", async () => {
  const fatal = new StoreError("fatal", "3D000", "no such database");
  const { clock, result, tries } = opening(away, away, fatal);
  await clock.until(() => tries.count === 3);
  await rejects(() => result, fatal);
});

Deno.test("waitUntilReady() ends its wait, tries once more and gives up when it is told to stop", async () => {
  const { clock, stop, result, tries } = opening(away, away, away);
  await clock.advance(0);
  stop.abort();
  await rejects(() => result, away);
  deepStrictEqual([tries.count, clock.sleeping], [2, 0]);
});

Deno.test("waitUntilReady() tries once when it was told to stop before", async () => {
  let tries = 0;
  const open = () => {
    tries++;
    return Promise.reject(away);
  };
  await rejects(
    () => waitUntilReady("the queue", open, AbortSignal.abort(), new ManualClock()),
    away,
  );
  strictEqual(tries, 1);
});
