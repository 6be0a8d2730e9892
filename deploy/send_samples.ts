// deno-lint-ignore-file no-console -- a script for people: its output is its purpose
/**
 * Sends sample messages to a queue: login events of invented people, and one message that is not an
 * event. It is for trying Maskline out; `docker compose up` runs it once. Each run sends the same
 * events under new message ids.
 *
 * @module
 */
import { SendMessageBatchCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { parseArgs } from "node:util";
import { forEachChunk } from "../lib/base/chunks.ts";
import { sampleMessages } from "../lib/local/sample.ts";
import { QueueError } from "../lib/queue/queue.ts";
import { DEADLINE_MARGIN_SECONDS, withSdkDeadline } from "../lib/queue/sqs/deadline.ts";
import { createSqsClient } from "../lib/queue/sqs/sdk_client.ts";

/** The most messages that one SendMessageBatch accepts, by AWS's API reference. */
const BATCH_SIZE = 10;
/** Parallel calls. An estimate, not measured: enough that the network's delay does not add up. */
const PARALLEL = 4;
/** Limits what a typing error can send. An estimate, not measured. */
const MAX_COUNT = 1_000_000;
/**
 * How long the script waits for a queue that is still starting. An estimate, not measured, with room
 * for LocalStack.
 */
const HEALTH_TIMEOUT_MS = 60_000;
const RETRY_DELAY_MS = 500;

const USAGE = `Usage: deno run -A deploy/send_samples.ts [COUNT]

Sends COUNT sample messages (1 to ${MAX_COUNT}, default 100) to SQS_QUEUE_URL, and waits up to a minute
for a queue that does not exist yet. Region, endpoint and credentials are the AWS SDK's own variables
(AWS_REGION, AWS_ENDPOINT_URL_SQS, AWS_ACCESS_KEY_ID, …).
`;

/** Sends one batch. @throws {QueueError} the queue accepted none of it, or only a part */
async function sendBatch(client: SQSClient, url: URL, bodies: readonly string[]): Promise<void> {
  const command = new SendMessageBatchCommand({
    QueueUrl: url.href,
    Entries: bodies.map((body, index) => ({ Id: String(index), MessageBody: body })),
  });
  const { Failed = [] } = await withSdkDeadline(
    "send samples",
    DEADLINE_MARGIN_SECONDS,
    (abortSignal) => client.send(command, { abortSignal }),
  );
  const [failure] = Failed;
  if (failure) {
    throw new QueueError(`send ${Failed.length} of ${bodies.length}`, failure.Code ?? "unknown");
  }
}

/**
 * Retries until the queue accepts the batch. Stops at an error that a retry cannot fix.
 *
 * @throws {QueueError} the last failure
 */
async function sendWithRetry(send: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + HEALTH_TIMEOUT_MS;
  for (let attempt = 1;; attempt++) {
    try {
      return await send();
    } catch (error) {
      // An emulator may answer before it has created its queues.
      const isTransient = error instanceof QueueError &&
        (error.isTransient || /QueueDoesNotExist|NonExistentQueue/.test(error.code));
      if (!isTransient || performance.now() > deadline) throw error;
      if (attempt === 1) console.error(`Waiting for the queue: ${error.code}`);
      await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY_MS));
    }
  }
}

async function sendSamples(url: URL, count: number): Promise<void> {
  const client = createSqsClient(url, PARALLEL);
  try {
    const bodies = sampleMessages({ count });
    const [first, rest] = [bodies.slice(0, BATCH_SIZE), bodies.slice(BATCH_SIZE)];
    await sendWithRetry(() => sendBatch(client, url, first));
    await forEachChunk(rest, BATCH_SIZE, PARALLEL, (group) => sendBatch(client, url, group));
  } finally {
    client.destroy();
  }
}

/** Reads the command line. An unknown argument prints the usage and exits with 2. */
function readArguments(): { help?: boolean; count: number } {
  const options = { help: { type: "boolean", short: "h" } } as const;
  try {
    const { values, positionals } = parseArgs({ args: Deno.args, options, allowPositionals: true });
    const [text = "100", ...more] = positionals;
    const count = /^\d{1,7}$/.test(text) && more.length === 0 ? Number(text) : NaN;
    if (count >= 1 && count <= MAX_COUNT) return { ...values, count };
  } catch {
    // An unknown flag: the usage lists the known ones.
  }
  console.error(USAGE);
  return Deno.exit(2);
}

const { help, count } = readArguments();
const url = URL.parse(Deno.env.get("SQS_QUEUE_URL") ?? "");
if (help) {
  console.log(USAGE);
} else if (!url) {
  console.error("SQS_QUEUE_URL: expected a URL, got none or a malformed one\n");
  console.error(USAGE);
  Deno.exit(2);
} else {
  try {
    await sendSamples(url, count);
    console.log(`Sent ${count} (one of them is not an event) to ${url.href}`);
  } catch (error) {
    if (!(error instanceof QueueError)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}
