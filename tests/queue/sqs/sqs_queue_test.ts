import { createQueueError } from "../../../lib/queue/sqs/deadline.ts";
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert";
import { createHash } from "node:crypto";
import { type Message, QueueError } from "../../../lib/queue/queue.ts";
import { SqsQueue } from "../../../lib/queue/sqs/sqs_queue.ts";
import { startQueueServer } from "../../support/queue_server.ts";
import { sqsError, startSqsProxy } from "../../support/sqs_proxy.ts";
import { clientFor, type Maker, makers, openCalls } from "./calls.ts";

const { signal } = new AbortController();

/** Opens a queue on a real SQS-protocol server, through a proxy whose faults a test can set. */
async function create(
  maker: Maker,
  attributes: Record<string, string> = {},
  leaseSeconds = 30,
) {
  const server = await startQueueServer();
  const proxy = startSqsProxy(server.endpoint);
  const emulated = await server.createQueue(undefined, attributes);
  const queue = new SqsQueue({
    calls: await openCalls(maker, clientFor(proxy.endpoint)),
    url: emulated.url,
    leaseSeconds,
  });
  return {
    proxy,
    emulated,
    queue,
    receive: () => queue.receive({ waitSeconds: 0, signal }),
    async [Symbol.asyncDispose]() {
      queue.close();
      await proxy[Symbol.asyncDispose]();
      await server.close();
    },
  };
}

/** The SDK verifies it. */
function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}

function firstOf(messages: readonly Message[]): Message {
  const [message] = messages;
  ok(message, "expected a message, got none");
  return message;
}

for (const maker of makers) {
  Deno.test(`receive() returns id, body, time sent, receive count and handle (${maker})`, async () => {
    await using line = await create(maker);
    const before = Date.now();
    const [id] = await line.emulated.send(["hello"]);
    const message = firstOf(await line.receive());
    deepStrictEqual([message.id, message.body, message.receiveCount], [id, "hello", 1]);
    ok(message.sentAt >= before && message.sentAt <= Date.now(), `${message.sentAt}`);
    ok(message.handle.length > 0);
  });

  // In an earlier version the queue's own timeout decided: with 0 every message was visible again at once.
  Deno.test(`receive() hides a message for its lease when the queue's own timeout is 0 (${maker})`, async () => {
    await using line = await create(maker, { VisibilityTimeout: "0" });
    await line.emulated.send(["hello"]);
    firstOf(await line.receive());
    deepStrictEqual(await line.receive(), []);
  });

  Deno.test(`receive() fails at once when it is aborted (${maker})`, async () => {
    await using line = await create(maker);
    const stop = new AbortController();
    const receiving = line.queue.receive({ waitSeconds: 20, signal: stop.signal });
    stop.abort();
    await rejects(receiving, { name: "QueueError", code: "AbortError" });
  });

  Deno.test(`receive() returns the current time when the answer has no time sent (${maker})`, async () => {
    await using line = await create(maker);
    line.proxy.fault = () =>
      Response.json({
        Messages: [{ MessageId: "a", Body: "b", ReceiptHandle: "h", MD5OfBody: md5("b") }],
      });
    const before = Date.now();
    const message = firstOf(await line.receive());
    ok(message.sentAt >= before);
    strictEqual(message.receiveCount, 1);
  });

  Deno.test(`delete() returns the ids that failed and those missing in the answer (${maker})`, async () => {
    await using line = await create(maker);
    line.proxy.fault = () =>
      Response.json({
        Successful: [{ Id: "1" }],
        Failed: [{ Id: "0", Code: "InternalError", SenderFault: false }],
      });
    const held = ["a", "b", "c"].map((id) => ({ id, handle: `${id}/1` }));
    deepStrictEqual(
      [...await line.queue.delete(held)],
      [["a", "InternalError"], ["c", "no_answer"]],
    );
  });

  Deno.test(`delete() returns an id as failed when the answer lists it as both (${maker})`, async () => {
    await using line = await create(maker);
    line.proxy.fault = () =>
      Response.json({
        Successful: [{ Id: "0" }],
        Failed: [{ Id: "0", Code: "InternalError", SenderFault: false }],
      });
    deepStrictEqual(
      [...await line.queue.delete([{ id: "a", handle: "a/1" }])],
      [["a", "InternalError"]],
    );
  });

  Deno.test(`extend() returns the message as failed when the queue refuses its handle (${maker})`, async () => {
    await using line = await create(maker);
    await line.emulated.send(["hello"]);
    const message = firstOf(await line.receive());
    const stale = { id: "stale", handle: "00000000-0000-0000-0000-000000000000" };
    deepStrictEqual(
      [...await line.queue.extend([stale, message], 30)],
      [["stale", "ReceiptHandleIsInvalid"]],
    );
  });

  Deno.test(`extend() sends the seconds, and release() the delay (${maker})`, async () => {
    await using line = await create(maker);
    const seconds: unknown[] = [];
    line.proxy.fault = ({ body }) => {
      const entries = body["Entries"] as { VisibilityTimeout: number }[];
      seconds.push(...entries.map(({ VisibilityTimeout }) => VisibilityTimeout));
      return undefined;
    };
    await line.queue.extend([{ id: "a", handle: "a/1" }], 45);
    await line.queue.release([{ id: "a", handle: "a/1" }], 0);
    deepStrictEqual(seconds, [45, 0]);
  });

  Deno.test(`receive() fails with the service's code and no part of its text (${maker})`, async () => {
    await using line = await create(maker);
    line.proxy.fault = () => sqsError(400, "QueueDoesNotExist");
    const error = await line.receive().then(() => undefined, (reason) => reason);
    ok(error instanceof QueueError);
    strictEqual(error.code, "QueueDoesNotExist");
    strictEqual(error.isTransient, false);
  });

  Deno.test(`receive() fails with the network's code when no server listens (${maker})`, async () => {
    const calls = await openCalls(maker, clientFor("http://127.0.0.1:1"));
    const queue = new SqsQueue({ calls, url: "http://127.0.0.1:1/0/q", leaseSeconds: 30 });
    const error = await queue.receive({ waitSeconds: 0, signal })
      .then(() => undefined, (reason) => reason);
    ok(error instanceof QueueError);
    strictEqual(error.code, "ECONNREFUSED");
    strictEqual(error.isTransient, true);
    queue.close();
  });

  Deno.test(`receive() requests its own lease when the queue's timeout differs (${maker})`, async () => {
    await using line = await create(maker, {}, 45);
    let asked: unknown;
    line.proxy.fault = ({ body }) => {
      asked = body["VisibilityTimeout"];
      return undefined;
    };
    await line.receive();
    strictEqual(asked, 45);
  });
}

Deno.test("QueueError is transient when a retry may succeed", () => {
  const codes = [
    "ECONNREFUSED",
    "ENOTFOUND",
    "ETIMEDOUT",
    "EAI_AGAIN",
    "deadline",
    "TimeoutError",
    "RequestThrottled",
    "ThrottlingException",
    "InternalFailure",
    "ServiceUnavailable",
  ];
  for (const code of codes) strictEqual(createQueueError("ask", code).isTransient, true, code);
});

Deno.test("QueueError is not transient when a retry cannot succeed", () => {
  const codes = [
    "QueueDoesNotExist",
    "AccessDeniedException",
    "InvalidClientTokenId",
    "CredentialsProviderError",
    // It looks like a network error code, but is a fault of the certificate.
    "ERR_TLS_CERT_ALTNAME_INVALID",
  ];
  for (const code of codes) strictEqual(createQueueError("ask", code).isTransient, false, code);
});
