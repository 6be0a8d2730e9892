import { ok, strictEqual } from "node:assert";
import { sampleEvents } from "../../lib/local/sample.ts";
import { createLine } from "../support/line.ts";
import { untilCount } from "../support/progress.ts";
import { startQueueProcess } from "../support/queue_process.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";
import { startSqsProxy } from "../support/sqs_proxy.ts";
import { cpuMilliseconds, watchMemory } from "../support/process_figures.ts";

const postgres = await sharedPostgres();

Deno.test("run makes one long poll at a time and uses no CPU when the queue is idle", async () => {
  await using queues = await startQueueProcess();
  await using proxy = startSqsProxy(queues.endpoint);
  await using line = await createLine({ postgres, queues });
  await line.queue.send(sampleEvents({ count: 300 }));
  const worker = line.start({ AWS_ENDPOINT_URL_SQS: proxy.endpoint });
  await untilCount(line, ({ rows }) => rows === 300);
  // What came with the messages dies down: pollers retire, deletes end.
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  proxy.calls.clear();
  proxy.mostAtOnce.clear();
  const before = cpuMilliseconds(worker.pid);
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  const used = cpuMilliseconds(worker.pid) - before;
  ok((proxy.mostAtOnce.get("ReceiveMessage") ?? 0) <= 1);
  ok((proxy.calls.get("ReceiveMessage") ?? 0) <= 1);
  // Of five seconds; some hundredths are the timers of the runtime itself.
  ok(used <= 100, `${used} ms of CPU in 5 s`);
  worker.kill("SIGTERM");
  strictEqual((await worker.ended).code, 0);
});

Deno.test("drain keeps its memory below 300 MiB when 50,000 messages wait", async () => {
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
