/**
 * Runs the emulator in a process of its own. It counts the calls that reach it and reports the times of
 * the first receive and the last delete. Counting here costs the workers no CPU. A proxy between them and
 * the queue would cost all of them time.
 *
 * @module
 */
import { buildApp } from "fauxqs";
import { createTestQueue, type Post } from "../support/queue_server.ts";
import { messageAt } from "./messages.ts";
import { answerQuery } from "./query_protocol.ts";
import type { FillRequest, QueueState } from "./queue_host.ts";

/**
 * The most messages that wait in the emulator. It is slow with a large backlog (it moves the whole array
 * for each message), so the others are sent during the run.
 */
const BACKLOG = 50_000;
/** Messages sent at once while a contestant works. More would delay its calls for longer. */
const SLICE = 100;

const app = buildApp({ logger: false });
const post: Post = async (headers, payload) => {
  // In memory, without the HTTP server: the benchmark's own calls are not counted.
  const { statusCode, body } = await app.inject({ method: "POST", url: "/", headers, payload });
  return { status: statusCode, body };
};

let calls: Record<string, number> = {};
let firstReceiveAt: number | undefined;
let lastDeleteAt: number | undefined;
let deleted = 0;
let unsent = 0;

app.server.on("request", (request, response) => {
  const target = request.headers["x-amz-target"];
  const action = typeof target === "string" ? target.split(".")[1] ?? "" : "";
  countCall(action);
  if (action.startsWith("DeleteMessage")) response.once("finish", () => countDelete(action));
});

function countCall(action: string): void {
  calls[action] = (calls[action] ?? 0) + 1;
  if (action === "ReceiveMessage") firstReceiveAt ??= Date.now();
}

function countDelete(action: string): void {
  // At most ten. The exact number matters only at the end, when the queue itself is asked.
  deleted += action === "DeleteMessageBatch" ? 10 : 1;
  lastDeleteAt = Date.now();
}

const endpoint = await app.listen({ host: "127.0.0.1", port: 0 });

async function attributesOf(url: string): Promise<Record<string, string>> {
  const headers = {
    "content-type": "application/x-amz-json-1.0",
    "x-amz-target": "AmazonSQS.GetQueueAttributes",
  };
  const { body } = await post(headers, JSON.stringify({ QueueUrl: url, AttributeNames: ["All"] }));
  return JSON.parse(body).Attributes ?? {};
}

/** Creates a queue with its first messages and sends the others during the run. Resets the counters. */
async function fill({ name, count, tag, repeats }: FillRequest): Promise<{ url: string }> {
  // Longer than any batch takes on a slow machine: an expired lease would double the work.
  const queue = await createTestQueue(endpoint, post, name, { VisibilityTimeout: "300" });
  let next = 0;
  const send = async (until: number) => {
    const bodies = Array.from(
      { length: until - next },
      (_, at) => messageAt(next + at, { tag, repeats }),
    );
    await queue.send(bodies);
    next = until;
    unsent = count - next;
  };
  await send(Math.min(count, BACKLOG));
  calls = {};
  firstReceiveAt = lastDeleteAt = undefined;
  deleted = 0;
  if (next < count) void follow(queue.url, count, () => next, send);
  return { url: queue.url };
}

async function follow(
  url: string,
  count: number,
  sent: () => number,
  send: (until: number) => Promise<void>,
): Promise<void> {
  while (sent() < count) {
    const { ApproximateNumberOfMessages: ready } = await attributesOf(url);
    // The queue was removed because the run failed.
    if (ready === undefined) return;
    if (Number(ready) < BACKLOG) await send(Math.min(count, sent() + SLICE));
    await new Promise((resolve) => setTimeout(resolve, Number(ready) < BACKLOG ? 0 : 5));
  }
}

async function state(url: string, count: number): Promise<QueueState> {
  // While messages must be left, the emulator is not asked.
  const empty = deleted >= count && unsent === 0 && await isEmpty(url);
  return { empty, calls, firstReceiveAt, lastDeleteAt, deleted };
}

async function isEmpty(url: string): Promise<boolean> {
  const attributes = await attributesOf(url);
  return Number(attributes["ApproximateNumberOfMessages"]) === 0 &&
    Number(attributes["ApproximateNumberOfMessagesNotVisible"]) === 0;
}

async function remove(url: string): Promise<void> {
  const headers = {
    "content-type": "application/x-amz-json-1.0",
    "x-amz-target": "AmazonSQS.DeleteQueue",
  };
  await post(headers, JSON.stringify({ QueueUrl: url }));
}

const control = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (ask) => {
  const { pathname, searchParams } = new URL(ask.url);
  const url = searchParams.get("url") ?? "";
  if (pathname === "/fill") return Response.json(await fill(await ask.json()));
  if (pathname === "/remove") return Response.json(await remove(url) ?? {});
  return Response.json(await state(url, Number(searchParams.get("count"))));
});

const query = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (ask) => {
  firstReceiveAt ??= Date.now();
  const [action, answer] = await answerQuery(ask, post);
  countCall(action);
  if (action.startsWith("DeleteMessage")) countDelete(action);
  return answer;
});

const local = ({ addr }: Deno.HttpServer<Deno.NetAddr>) => `http://127.0.0.1:${addr.port}`;
const addresses = { endpoint, queryEndpoint: local(query), control: local(control) };
await Deno.stdout.write(new TextEncoder().encode(`${JSON.stringify(addresses)}\n`));
// The parent's end of this pipe closes when the parent disposes of this process, or dies.
for await (const _ of Deno.stdin.readable);
Deno.exit(0);
