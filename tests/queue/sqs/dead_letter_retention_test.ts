import { SQSClient } from "@aws-sdk/client-sqs";
import { ok, strictEqual } from "node:assert";
import { openSqs, readDeadLetterRetention } from "../../../lib/queue/sqs/open_sqs.ts";
import { startQueueServer } from "../../support/queue_server.ts";
import { type Fault, sqsError, startSqsProxy } from "../../support/sqs_proxy.ts";

// `openSqs` leaves credentials to the SDK, which reads them here.
Deno.env.set("AWS_ACCESS_KEY_ID", "test");
Deno.env.set("AWS_SECRET_ACCESS_KEY", "test");

/** Opens a queue through a proxy with this fault. Returns the retention of its dead-letter queue. */
async function open(fault?: Fault): Promise<number | undefined> {
  await using queues = await startQueueServer();
  await using proxy = startSqsProxy(queues.endpoint);
  if (fault) proxy.fault = fault;
  const deadLetters = await queues.createQueue(undefined, { MessageRetentionPeriod: "1209600" });
  const RedrivePolicy = JSON.stringify({
    deadLetterTargetArn: deadLetters.arn,
    maxReceiveCount: 5,
  });
  const { name } = await queues.createQueue(undefined, { RedrivePolicy });
  const url = new URL(`${proxy.endpoint}/000000000000/${name}`);
  const { queue, attributes } = await openSqs({ url, maxCalls: 1 });
  queue.close();
  strictEqual(attributes.deadLetterArn, deadLetters.arn);
  strictEqual(attributes.retentionSeconds, 345_600);
  return attributes.deadLetterRetentionSeconds;
}

Deno.test("openSqs() returns how long the dead-letter queue keeps messages", async () => {
  strictEqual(await open(), 1_209_600);
});

for (
  const [what, code] of [
    ["refuses access", "AccessDeniedException"],
    ["does not exist", "QueueDoesNotExist"],
    ["fails", "ServiceUnavailable"],
  ] as const
) {
  Deno.test(`openSqs() opens without the retention when the dead-letter queue ${what}`, async () => {
    const refuse: Fault = ({ action }) =>
      action === "GetQueueUrl" ? sqsError(400, code) : undefined;
    strictEqual(await open(refuse), undefined);
  });
}

Deno.test("openSqs() opens without the retention when the dead-letter queue's attributes may not be read", async () => {
  let asked = 0;
  const refuse: Fault = ({ action }) => {
    if (action !== "GetQueueAttributes" || ++asked === 1) return undefined;
    return sqsError(400, "AccessDeniedException");
  };
  strictEqual(await open(refuse), undefined);
  strictEqual(asked, 2);
});

Deno.test("openSqs() reads no other queue when there is no redrive policy", async () => {
  await using queues = await startQueueServer();
  await using proxy = startSqsProxy(queues.endpoint);
  const { name } = await queues.createQueue();
  const url = new URL(`${proxy.endpoint}/000000000000/${name}`);
  const { queue, attributes } = await openSqs({ url, maxCalls: 1 });
  queue.close();
  strictEqual(attributes.deadLetterRetentionSeconds, undefined);
  strictEqual(proxy.calls.get("GetQueueUrl"), undefined);
});

Deno.test("readDeadLetterRetention() times out early when no answer comes", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const client = new SQSClient({
    endpoint: `http://127.0.0.1:${listener.addr.port}`,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  const startedAt = performance.now();
  strictEqual(await readDeadLetterRetention(client, "arn:aws:sqs:us-east-1:1:dead"), undefined);
  ok(performance.now() - startedAt < 20_000);
  client.destroy();
});

Deno.test("readDeadLetterRetention() returns nothing when the ARN is invalid", async () => {
  await using queues = await startQueueServer();
  const client = new SQSClient({
    endpoint: queues.endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  for (const arn of ["", "dead", "arn:aws:sqs:us-east-1:000000000000:not-there"]) {
    strictEqual(await readDeadLetterRetention(client, arn), undefined, arn);
  }
  client.destroy();
});
