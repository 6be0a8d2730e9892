import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { sampleEvents } from "../../lib/local/sample.ts";
import { createLine } from "../support/line.ts";
import { until, untilCount } from "../support/progress.ts";
import { startQueueProcess } from "../support/queue_process.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";
import { startSqsProxy } from "../support/sqs_proxy.ts";
import { watchMemory } from "../support/process_figures.ts";

const postgres = await sharedPostgres();

Deno.test("run makes one long poll at a time when the queue is idle", async () => {
  await using queues = await startQueueProcess();
  await using proxy = startSqsProxy(queues.endpoint);
  await using line = await createLine({ postgres, queues });
  const waits: unknown[] = [];
  const idle = Promise.withResolvers<void>();
  let isIdle = false;
  proxy.fault = ({ action, body, forward }) => {
    if (action !== "ReceiveMessage") return undefined;
    if (isIdle) waits.push(body["WaitTimeSeconds"]);
    // Answered at once instead of after 20 s: the test checks how long the worker asks the queue to wait.
    return Promise.race([forward(), idle.promise.then(() => Response.json({}))]);
  };
  await line.queue.send(sampleEvents({ count: 300 }));
  const worker = line.start({ AWS_ENDPOINT_URL_SQS: proxy.endpoint });
  await untilCount(line, ({ rows }) => rows === 300);
  await until(() => line.queue.inspect(), ({ ready, inflight }) => ready + inflight === 0);
  isIdle = true;
  idle.resolve();
  // The pollers that were added for the messages stop at their first empty answer.
  await until(async () => waits.length, (count) => count >= 5);
  proxy.mostAtOnce.clear();
  waits.length = 0;
  await until(async () => waits.length, (count) => count >= 5);
  strictEqual(proxy.mostAtOnce.get("ReceiveMessage"), 1);
  deepStrictEqual(new Set(waits), new Set([20]));
  worker.kill("SIGTERM");
  strictEqual((await worker.ended).code, 0);
});

Deno.test("run keeps its memory below 300 MiB when 50,000 messages wait", async () => {
  await using queues = await startQueueProcess();
  await using line = await createLine({ postgres, queues });
  await line.queue.send(sampleEvents({ count: 50_000 }));
  const worker = line.start();
  using memory = watchMemory(worker.pid);
  await untilCount(line, ({ rows }) => rows === 50_000);
  worker.kill("SIGTERM");
  strictEqual((await worker.ended).code, 0);
  ok(memory.peakMiB > 0 && memory.peakMiB < 300, `${memory.peakMiB} MiB`);
});
