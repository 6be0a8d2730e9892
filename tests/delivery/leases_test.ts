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

/** The times at which the worker extended each lease, by receipt handle, in milliseconds. */
type Extensions = Map<string, number[]>;

/** Records the extensions of each message, and fails those whose number `fails` selects. */
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

/** Blocks all commits for three leases, once all messages are in flight. */
async function blockCommits(line: FragileLine): Promise<void> {
  await using other = await openSession(line.database.url);
  await other.query("BEGIN");
  // Other sessions can read the ledger in this mode, as this test does.
  await other.query("LOCK TABLE maskline.ledger IN SHARE ROW EXCLUSIVE MODE");
  await line.sendNext(COUNT);
  await until(() => line.queue.inspect(), ({ inflight }) => inflight === COUNT);
  // The duration itself is tested here.
  await new Promise((resolve) => setTimeout(resolve, 3 * LEASE_SECONDS * 1000));
  await other.query("ROLLBACK");
}

function start(line: FragileLine, proxy: SqsProxy) {
  // The statement waits for the lock as long as necessary, so that there is no outage.
  return line.start({ AWS_ENDPOINT_URL_SQS: proxy.endpoint, STATEMENT_SECONDS: "60" });
}

Deno.test("run extends leases in batches of ten at half their time when a commit is blocked for three leases", async () => {
  await using proxy = startSqsProxy(queues.endpoint);
  await using line = await createFragileLine({
    postgres,
    queues,
    leaseSeconds: LEASE_SECONDS,
    maxReceiveCount: 2,
  });
  const extensions = watch(proxy, () => false);
  const worker = start(line, proxy);
  await blockCommits(line);
  const { received, released } = await line.expectDeliveredBy(worker);
  // The queue redelivered none of them.
  deepStrictEqual([received, released], [COUNT, 0]);
  strictEqual(extensions.size, COUNT);
  const lists = [...extensions.values()];
  const gaps = lists.flatMap((times) => times.slice(1).map((time, i) => time - (times[i] ?? 0)));
  const half = LEASE_SECONDS * 500;
  // The worker checks eight times per lease, so it extends after four to five eighths. On a busy machine
  // it extends later, but before the lease expires.
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
  await blockCommits(line);
  const { received, released } = await line.expectDeliveredBy(worker);
  deepStrictEqual([received, released], [COUNT, 0]);
  ok([...extensions.values()].every(({ length }) => length >= 6), "Too few were extended");
});
