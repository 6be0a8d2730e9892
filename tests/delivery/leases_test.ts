import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { createFragileLine, type FragileLine } from "../support/fragile_line.ts";
import { openSession } from "../support/open_session.ts";
import { until } from "../support/progress.ts";
import { startQueueProcess } from "../support/queue_process.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";
import { type SqsProxy, startSqsProxy } from "../support/sqs_proxy.ts";
import { entriesOf, failSome } from "../support/fail_some.ts";

const postgres = await sharedPostgres();
const queues = await startQueueProcess();

const LEASE_SECONDS = 2;
const COUNT = 200;

/** When each lease was to be extended, by its handle; in milliseconds. */
type Extensions = Map<string, number[]>;

/** Notes what is extended, and fails each extension of a message whose number `fails` picks. */
function watch(proxy: SqsProxy, fails: (times: number) => boolean): Extensions {
  const extensions: Extensions = new Map();
  proxy.fault = async (request) => {
    if (request.action !== "ChangeMessageVisibilityBatch") return undefined;
    for (const { ReceiptHandle, VisibilityTimeout } of entriesOf(request)) {
      strictEqual(VisibilityTimeout, LEASE_SECONDS);
      const times = extensions.get(ReceiptHandle) ?? [];
      extensions.set(ReceiptHandle, [...times, performance.now()]);
    }
    return await failSome(
      queues.endpoint,
      request,
      ({ ReceiptHandle }) => fails(extensions.get(ReceiptHandle)?.length ?? 0),
    );
  };
  return extensions;
}

/** Holds up all commits for three leases, from when the worker holds everything that was sent. */
async function holdUp(line: FragileLine): Promise<void> {
  await using other = await openSession(line.database.url);
  await other.query("BEGIN");
  // Others may read the ledger meanwhile, which this test does too.
  await other.query("LOCK TABLE maskline.ledger IN SHARE ROW EXCLUSIVE MODE");
  await line.sendNext(COUNT);
  await until(() => line.queue.inspect(), ({ inflight }) => inflight === COUNT);
  // Time itself is the matter here.
  await new Promise((resolve) => setTimeout(resolve, 3 * LEASE_SECONDS * 1000));
  await other.query("ROLLBACK");
}

function start(line: FragileLine, proxy: SqsProxy) {
  // The statement waits for the lock as long as it takes: that is no outage.
  return line.start({ AWS_ENDPOINT_URL_SQS: proxy.endpoint, STATEMENT_SECONDS: "60" });
}

Deno.test("run extends leases by tens at half-time when a commit is held up for three of them", async () => {
  await using proxy = startSqsProxy(queues.endpoint);
  await using line = await createFragileLine({
    postgres,
    queues,
    leaseSeconds: LEASE_SECONDS,
    maxReceiveCount: 2,
  });
  const extensions = watch(proxy, () => false);
  const worker = start(line, proxy);
  await holdUp(line);
  const { received, released } = await line.expectDeliveredBy(worker);
  // Not even a second time.
  deepStrictEqual([received, released], [COUNT, 0]);
  strictEqual(extensions.size, COUNT);
  const lists = [...extensions.values()];
  const gaps = lists.flatMap((times) => times.slice(1).map((time, i) => time - (times[i] ?? 0)));
  const half = LEASE_SECONDS * 500;
  // Looked at eight times a lease, so it is done between four and five eighths; later on a busy
  // machine, and never so late that the lease is over.
  ok(gaps.every((gap) => gap > 0.9 * half && gap < 1.9 * half), `Gaps: ${gaps}`);
  const entries = lists.reduce((sum, times) => sum + times.length, 0);
  ok(entries >= 4 * COUNT && entries <= 7 * COUNT, `${entries} extensions`);
  const calls = proxy.calls.get("ChangeMessageVisibilityBatch") ?? 0;
  ok(calls <= 1.3 * entries / 10, `${calls} calls for ${entries} extensions`);
});

Deno.test("run keeps every lease when each extension fails once before it succeeds", async () => {
  await using proxy = startSqsProxy(queues.endpoint);
  await using line = await createFragileLine({
    postgres,
    queues,
    leaseSeconds: LEASE_SECONDS,
    maxReceiveCount: 2,
  });
  const extensions = watch(proxy, (times) => times % 2 !== 0);
  const worker = start(line, proxy);
  await holdUp(line);
  const { received, released } = await line.expectDeliveredBy(worker);
  deepStrictEqual([received, released], [COUNT, 0]);
  ok([...extensions.values()].every(({ length }) => length >= 6), "Too few were extended");
});
