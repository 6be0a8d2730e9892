import { buildApp } from "fauxqs";

/** A queue of one test. */
export interface TestQueue {
  readonly name: string;
  /** By address: fauxqs' own URLs name hosts below `.localhost`, which not every resolver knows. */
  readonly url: string;
  /** What a redrive policy calls it. */
  readonly arn: string;
  /** Sends the bodies, as many to a request as SQS allows, and gives the message ids in their order. */
  send(bodies: readonly string[]): Promise<string[]>;
  /** Receives whatever can be received at this moment, and gives the bodies. */
  takeAll(): Promise<string[]>;
  /** Counts what is in the queue now. */
  inspect(): Promise<QueueCounts>;
}

/** A message whose lease has run out counts as in flight until somebody asks the queue for messages. */
export interface QueueCounts {
  readonly ready: number;
  readonly inflight: number;
  readonly delayed: number;
}

/** A server that speaks SQS' JSON protocol on loopback. Disposing of it closes it. */
export interface QueueServer extends AsyncDisposable {
  /** What `AWS_ENDPOINT_URL_SQS` takes. */
  readonly endpoint: string;
  /** Makes a queue, uniquely named unless told otherwise, with SQS' attributes (`VisibilityTimeout`, …). */
  createQueue(name?: string, attributes?: Readonly<Record<string, string>>): Promise<TestQueue>;
  /** Ends it with all its queues. Safe to call twice. */
  close(): Promise<void>;
}

/** Hands one request to a server: the headers and body of the POST in, the status and body out. */
export type Post = (
  headers: Record<string, string>,
  body: string,
) => Promise<{ status: number; body: string }>;

/** Starts a queue server in this process, on a free port. */
export async function startQueueServer(): Promise<QueueServer> {
  // Not `startFauxqs`: that listens on every address of the machine, whatever host it is given.
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

/** Makes a queue on the server that `post` reaches and whose clients find it at `endpoint`. */
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

/** SQS takes ten messages and 1 MiB in a request. */
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
  if (status !== 200) throw new Error(`${action} wanted status 200, got ${status}: ${body}`);
  return JSON.parse(body);
}
