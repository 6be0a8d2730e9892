import { buildApp } from "fauxqs";

/** A queue of one test. */
export interface TestQueue {
  readonly name: string;
  /** With an IP address: fauxqs' own URLs have hosts below `.localhost`, which not every resolver knows. */
  readonly url: string;
  /** Its name in a redrive policy. */
  readonly arn: string;
  /** Sends the bodies, as many per request as SQS allows, and returns the message ids in their order. */
  send(bodies: readonly string[]): Promise<string[]>;
  /** Receives all messages that are visible now, and returns their bodies. */
  takeAll(): Promise<string[]>;
  /** Counts what is in the queue now. */
  inspect(): Promise<QueueCounts>;
}

/** Counts of messages. After its lease expires, a message counts as in flight until the next receive. */
export interface QueueCounts {
  readonly ready: number;
  readonly inflight: number;
  readonly delayed: number;
}

/** A server that speaks SQS' JSON protocol on loopback. Disposing of it closes it. */
export interface QueueServer extends AsyncDisposable {
  /** The value for `AWS_ENDPOINT_URL_SQS`. */
  readonly endpoint: string;
  /** Creates a queue, by default with a unique name, with SQS' attributes (`VisibilityTimeout`, …). */
  createQueue(name?: string, attributes?: Readonly<Record<string, string>>): Promise<TestQueue>;
  /** Ends it with all its queues. Safe to call twice. */
  close(): Promise<void>;
}

/** Sends one POST with these headers and body to a server, and returns the status and body. */
export type Post = (
  headers: Record<string, string>,
  body: string,
) => Promise<{ status: number; body: string }>;

/** Starts a queue server in this process, on a free port. */
export async function startQueueServer(): Promise<QueueServer> {
  // Not `startFauxqs`, which ignores its host and listens on every address of the machine.
  const app = buildApp({ logger: false });
  const endpoint = await app.listen({ host: "127.0.0.1", port: 0 });
  // In memory: a test that only fills or counts opens no socket that a sanitizer would count.
  const post: Post = async (headers, payload) => {
    const response = await app.inject({ method: "POST", url: "/", headers, payload });
    return { status: response.statusCode, body: response.body };
  };
  const close = async () => {
    await app.close();
  };
  return {
    endpoint,
    createQueue: (name, attributes) => createTestQueue(endpoint, post, name, attributes),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Creates a queue on the server that `post` reaches and whose clients use `endpoint`. */
export async function createTestQueue(
  endpoint: string,
  post: Post,
  name = `test-${crypto.randomUUID()}`,
  attributes: Readonly<Record<string, string>> = {},
): Promise<TestQueue> {
  await call(post, "CreateQueue", { QueueName: name, Attributes: attributes });
  const url = `${endpoint}/000000000000/${name}`;
  return {
    name,
    url,
    arn: `arn:aws:sqs:us-east-1:000000000000:${name}`,
    async send(bodies) {
      const ids: string[] = [];
      for (const batch of batches(bodies)) ids.push(...await sendBatch(post, url, batch));
      return ids;
    },
    async takeAll() {
      const bodies: string[] = [];
      const input = { QueueUrl: url, MaxNumberOfMessages: 10 };
      for (;;) {
        const { Messages = [] } = await call(post, "ReceiveMessage", input);
        if (!Array.isArray(Messages) || Messages.length === 0) return bodies;
        bodies.push(...Messages.map(({ Body }: { Body: string }) => Body));
      }
    },
    async inspect() {
      const answer = await call(post, "GetQueueAttributes", { QueueUrl: url });
      const counts = answer.Attributes as Record<string, string>;
      return {
        ready: Number(counts.ApproximateNumberOfMessages),
        inflight: Number(counts.ApproximateNumberOfMessagesNotVisible),
        delayed: Number(counts.ApproximateNumberOfMessagesDelayed),
      };
    },
  };
}

async function sendBatch(post: Post, url: string, bodies: readonly string[]): Promise<string[]> {
  const entries = bodies.map((body, index) => ({ Id: `${index}`, MessageBody: body }));
  const answer = await call(post, "SendMessageBatch", { QueueUrl: url, Entries: entries });
  const sent = answer.Successful as { Id: string; MessageId: string }[];
  if (sent.length < bodies.length) {
    const codes = (answer.Failed as { Code: string }[]).map(({ Code }) => Code);
    throw new Error(`Queue refused ${codes.length} of ${bodies.length} messages: ${codes}`);
  }
  return sent.toSorted((a, b) => Number(a.Id) - Number(b.Id)).map(({ MessageId }) => MessageId);
}

/** Splits bodies into batches. SQS accepts ten messages and 1 MiB per request. */
function* batches(bodies: readonly string[]): Generator<string[]> {
  const utf8 = new TextEncoder();
  let batch: string[] = [];
  let bytes = 0;
  for (const body of bodies) {
    const size = utf8.encode(body).length;
    if (batch.length === 10 || (batch.length > 0 && bytes + size > 1_048_576)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(body);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

async function call(post: Post, action: string, input: object): Promise<Record<string, unknown>> {
  const headers = {
    "content-type": "application/x-amz-json-1.0",
    "x-amz-target": `AmazonSQS.${action}`,
  };
  const { status, body } = await post(headers, JSON.stringify(input));
  if (status !== 200) throw new Error(`${action}: expected status 200, got ${status}: ${body}`);
  return JSON.parse(body);
}
