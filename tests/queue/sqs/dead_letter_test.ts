import {
  type Message,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { createHash } from "node:crypto";
import type { RejectedMessage } from "../../../lib/queue/queue.ts";
import { SqsDeadLetterQueue } from "../../../lib/queue/sqs/dead_letter.ts";
import { startQueueServer } from "../../support/queue_server.ts";
import { failEntries, sqsError, startSqsProxy } from "../../support/sqs_proxy.ts";

const MEBIBYTE = 1_048_576;

function toRejectedMessage(id: string, body = `body of ${id}`): RejectedMessage {
  return { id, body, reason: "too_long", field: "user_id" };
}

/** Opens a queue for rejected messages on a real SQS-protocol server, through a proxy. */
async function create(attributes: Record<string, string> = {}) {
  const server = await startQueueServer();
  const proxy = startSqsProxy(server.endpoint);
  const { url } = await server.createQueue(undefined, attributes);
  const client = new SQSClient({
    endpoint: proxy.endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    maxAttempts: 1,
    useQueueUrlAsEndpoint: false,
  });
  /** Receives all messages of the queue, with their attributes. */
  const receiveAll = async (): Promise<Message[]> => {
    const input: ReceiveMessageCommandInput = {
      QueueUrl: url,
      MaxNumberOfMessages: 10,
      MessageAttributeNames: ["All"],
    };
    const all: Message[] = [];
    while (true) {
      const { Messages = [] } = await client.send(new ReceiveMessageCommand(input));
      if (Messages.length === 0) return all;
      all.push(...Messages);
    }
  };
  return {
    proxy,
    deadLetters: new SqsDeadLetterQueue(client, url),
    receiveAll,
    async [Symbol.asyncDispose]() {
      client.destroy();
      await proxy[Symbol.asyncDispose]();
      await server.close();
    },
  };
}

function idOf({ MessageAttributes }: Message): string | undefined {
  return MessageAttributes?.["MasklineMessageId"]?.StringValue;
}

Deno.test("send() sends the body unchanged, with id, reason and field as attributes", async () => {
  await using line = await create();
  const { failed, refused } = await line.deadLetters.send([toRejectedMessage("a")]);
  deepStrictEqual([failed.size, refused.size], [0, 0]);
  const [message] = await line.receiveAll();
  strictEqual(message?.Body, "body of a");
  const attributes = Object.entries(message.MessageAttributes ?? {})
    .map(([name, { StringValue }]) => [name, StringValue]);
  deepStrictEqual(Object.fromEntries(attributes), {
    MasklineMessageId: "a",
    MasklineReason: "too_long",
    MasklineField: "user_id",
  });
});

Deno.test("send() omits the field when the rejection has none", async () => {
  await using line = await create();
  await line.deadLetters.send([{ ...toRejectedMessage("a"), field: null }]);
  const [message] = await line.receiveAll();
  strictEqual(message?.MessageAttributes?.["MasklineField"], undefined);
});

Deno.test("send() sends in batches of ten when there are many", async () => {
  await using line = await create();
  const ids = Array.from({ length: 23 }, (_, index) => `m${index}`);
  await line.deadLetters.send(ids.map((id) => toRejectedMessage(id)));
  strictEqual(line.proxy.calls.get("SendMessageBatch"), 3);
  deepStrictEqual((await line.receiveAll()).map(idOf).sort(), ids.sort());
});

Deno.test("send() keeps a call below 1 MiB when the bodies are large", async () => {
  await using line = await create();
  const ids = ["a", "b", "c"];
  const { failed } = await line.deadLetters.send(
    ids.map((id) => toRejectedMessage(id, "x".repeat(500_000))),
  );
  strictEqual(failed.size, 0);
  strictEqual(line.proxy.calls.get("SendMessageBatch"), 2);
  strictEqual((await line.receiveAll()).length, 3);
});

Deno.test("send() measures bytes and not characters when it forms a batch", async () => {
  await using line = await create();
  const { failed } = await line.deadLetters.send(
    ["a", "b"].map((id) => toRejectedMessage(id, "€".repeat(200_000))),
  );
  strictEqual(failed.size, 0);
  strictEqual(line.proxy.calls.get("SendMessageBatch"), 2);
});

Deno.test("send() sends a body without attributes when it reaches the limit alone", async () => {
  await using line = await create();
  const { failed, refused } = await line.deadLetters.send([
    toRejectedMessage("a", "x".repeat(MEBIBYTE)),
  ]);
  deepStrictEqual([failed.size, refused.size], [0, 0]);
  const [message] = await line.receiveAll();
  strictEqual(message?.Body?.length, MEBIBYTE);
  strictEqual(message.MessageAttributes, undefined);
});

Deno.test("send() returns the messages that failed and those missing in the answer", async () => {
  await using line = await create();
  line.proxy.fault = () =>
    Response.json({
      // The SDK checks the digest.
      Successful: [{
        Id: "1",
        MD5OfMessageBody: createHash("md5").update("body of b").digest("hex"),
      }],
      Failed: [{ Id: "0", Code: "InternalError", SenderFault: false }],
    });
  const { failed, refused } = await line.deadLetters.send(
    ["a", "b", "c"].map((id) => toRejectedMessage(id)),
  );
  deepStrictEqual([...failed].sort(), [["a", "InternalError"], ["c", "no_answer"]]);
  strictEqual(refused.size, 0);
});

// A retry cannot help. An earlier version resent it indefinitely.
Deno.test("send() returns a message as refused when it is too large for the queue", async () => {
  await using line = await create({ MaximumMessageSize: "1024" });
  const { failed, refused } = await line.deadLetters.send([
    toRejectedMessage("small"),
    toRejectedMessage("large", "x".repeat(2_000)),
  ]);
  strictEqual(failed.size, 0);
  deepStrictEqual([...refused], [["large", "InvalidParameterValue"]]);
  deepStrictEqual((await line.receiveAll()).map(idOf), ["small"]);
});

// An earlier version threw, and resent the messages of the first call with the others.
Deno.test("send() returns only the messages that were not sent when a later call fails", async () => {
  await using line = await create();
  let calls = 0;
  line.proxy.fault = () => ++calls === 2 ? sqsError(500, "InternalFailure") : undefined;
  const ids = Array.from({ length: 25 }, (_, index) => `m${index}`);
  const { failed } = await line.deadLetters.send(ids.map((id) => toRejectedMessage(id)));
  deepStrictEqual([...failed.keys()], ids.slice(10));
  ok([...failed.values()].every((code) => code === "InternalFailure"), [...failed.values()].join());
  strictEqual(calls, 2);
});

Deno.test("send() returns all messages when every entry fails", async () => {
  await using line = await create();
  line.proxy.fault = (request) => failEntries(request);
  const { failed } = await line.deadLetters.send([toRejectedMessage("a"), toRejectedMessage("b")]);
  deepStrictEqual([...failed], [["a", "InternalError"], ["b", "InternalError"]]);
});

Deno.test("send() makes no call when there is nothing to send", async () => {
  await using line = await create();
  await line.deadLetters.send([]);
  strictEqual(line.proxy.calls.get("SendMessageBatch"), undefined);
});
