import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { sampleMessages } from "../../lib/local/sample.ts";
import { createLine, type Line } from "../support/line.ts";
import { lastBooks, untilCount } from "../support/progress.ts";
import { startPostgres } from "../support/postgres_server.ts";
import { startQueueServer } from "../support/queue_server.ts";
import { sqsError, startSqsProxy } from "../support/sqs_proxy.ts";

const COUNT = 400;

/** Creates a line with a short lease, and a dead-letter queue that takes a message after three receives. */
async function fragileLine(
  postgres: Awaited<ReturnType<typeof startPostgres>>,
  queues: Awaited<ReturnType<typeof startQueueServer>>,
) {
  const deadLetters = await queues.createQueue();
  const line = await createLine({
    postgres,
    queues,
    queueAttributes: {
      VisibilityTimeout: "4",
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadLetters.arn, maxReceiveCount: 3 }),
    },
  });
  return { line, deadLetters };
}

async function expectAllCommitted(line: Line): Promise<void> {
  const counts = await untilCount(line, ({ ledger }) => ledger === COUNT);
  deepStrictEqual(counts, { rows: COUNT - 1, rejected: 1, ledger: COUNT });
}

Deno.test("run loses and doubles nothing when Postgres is unavailable for longer than the lease", async () => {
  await using postgres = await startPostgres();
  await using queues = await startQueueServer();
  const { line, deadLetters } = await fragileLine(postgres, queues);
  const worker = line.start({ STATEMENT_SECONDS: "2", MAX_IN_FLIGHT: "500" });
  await worker.untilErr(/Started/);
  await postgres.stop("immediate");
  await line.queue.send(sampleMessages({ count: COUNT }));
  await worker.untilErr(/The store is unavailable/);
  // Three leases. Without extensions, the messages in flight would be in the dead-letter queue by then.
  await new Promise((resolve) => setTimeout(resolve, 13_000));
  await postgres.start();
  await expectAllCommitted(line);
  worker.kill("SIGTERM");
  const { code, err } = await worker.ended;
  strictEqual(code, 0, err);
  const { ready, inflight } = await deadLetters.inspect();
  deepStrictEqual([ready, inflight], [0, 0]);
  match(err, /The store has recovered/);
  strictEqual(lastBooks(err).duplicate, 0);
});

Deno.test("run reports an outage and continues after it when Postgres accepts connections and does not answer", async () => {
  await using postgres = await startPostgres();
  await using queues = await startQueueServer();
  const { line } = await fragileLine(postgres, queues);
  const worker = line.start({ STATEMENT_SECONDS: "1" });
  await line.queue.send(sampleMessages({ count: COUNT }));
  await untilCount(line, ({ rows }) => rows > 0);
  await postgres.pause();
  await line.queue.send(sampleMessages({ count: COUNT, seed: 2 }));
  await worker.untilErr(/The store is unavailable/);
  await postgres.resume();
  await untilCount(line, ({ ledger }) => ledger === 2 * COUNT);
  worker.kill("SIGTERM");
  strictEqual((await worker.ended).code, 0);
  deepStrictEqual(await line.count(), { rows: 2 * COUNT - 2, rejected: 2, ledger: 2 * COUNT });
});

Deno.test("run continues without a busy loop when the queue fails for some time", async () => {
  await using postgres = await startPostgres();
  await using queues = await startQueueServer();
  await using proxy = startSqsProxy(queues.endpoint);
  const { line } = await fragileLine(postgres, queues);
  const worker = line.start({ AWS_ENDPOINT_URL_SQS: proxy.endpoint });
  const first = Promise.withResolvers<void>();
  proxy.fault = ({ action }) => {
    if (action !== "ReceiveMessage") return undefined;
    first.resolve();
    return sqsError(503, "ServiceUnavailable");
  };
  await worker.untilErr(/Started/);
  await first.promise;
  const before = proxy.calls.get("ReceiveMessage") ?? 0;
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const calls = (proxy.calls.get("ReceiveMessage") ?? 0) - before;
  ok(calls >= 1 && calls <= 40, `${calls} receives in 3 s`);
  proxy.fault = () => undefined;
  await line.queue.send(sampleMessages({ count: COUNT }));
  await expectAllCommitted(line);
  worker.kill("SIGTERM");
  strictEqual((await worker.ended).code, 0);
});
