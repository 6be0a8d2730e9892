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

/** A queue for rejected messages on a real SQS-protocol server, with a proxy between. */
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
  /** All messages of the queue, with their attributes. */
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
    letters: new SqsDeadLetterQueue(client, url),
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

Deno.test("send() sends the body as it came, with id, reason and field beside it", async () => {
  await using line = await create();
  const { failed, refused } = await line.letters.send([toRejectedMessage("a")]);
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

Deno.test("send() leaves the field out when no field is at fault", async () => {
  await using line = await create();
  await line.letters.send([{ ...toRejectedMessage("a"), field: null }]);
  const [message] = await line.receiveAll();
  strictEqual(message?.MessageAttributes?.["MasklineField"], undefined);
});

Deno.test("send() sends by tens when there are many", async () => {
  await using line = await create();
  const ids = Array.from({ length: 23 }, (_, index) => `m${index}`);
  await line.letters.send(ids.map((id) => toRejectedMessage(id)));
  strictEqual(line.proxy.calls.get("SendMessageBatch"), 3);
  deepStrictEqual((await line.receiveAll()).map(idOf).sort(), ids.sort());
});

Deno.test("send() keeps a call below 1 MiB when the bodies are large", async () => {
  await using line = await create();
  const ids = ["a", "b", "c"];
  const { failed } = await line.letters.send(
    ids.map((id) => toRejectedMessage(id, "x".repeat(500_000))),
  );
  strictEqual(failed.size, 0);
  strictEqual(line.proxy.calls.get("SendMessageBatch"), 2);
  strictEqual((await line.receiveAll()).length, 3);
});

Deno.test("send() counts bytes and not characters when it groups", async () => {
  await using line = await create();
  const { failed } = await line.letters.send(
    ["a", "b"].map((id) => toRejectedMessage(id, "€".repeat(200_000))),
  );
  strictEqual(failed.size, 0);
  strictEqual(line.proxy.calls.get("SendMessageBatch"), 2);
});

Deno.test("send() sends a body without attributes when it fills the limit alone", async () => {
  await using line = await create();
  const { failed, refused } = await line.letters.send([
    toRejectedMessage("a", "x".repeat(MEBIBYTE)),
  ]);
  deepStrictEqual([failed.size, refused.size], [0, 0]);
  const [message] = await line.receiveAll();
  strictEqual(message?.Body?.length, MEBIBYTE);
  strictEqual(message.MessageAttributes, undefined);
});

Deno.test("send() names what failed and what the answer left out", async () => {
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
  const { failed, refused } = await line.letters.send(
    ["a", "b", "c"].map((id) => toRejectedMessage(id)),
  );
  deepStrictEqual([...failed].sort(), [["a", "InternalError"], ["c", "no_answer"]]);
  strictEqual(refused.size, 0);
});

// Sending it again cannot help, and it used to be sent again for ever.
Deno.test("send() names as refused what the queue does not take for its size", async () => {
  await using line = await create({ MaximumMessageSize: "1024" });
  const { failed, refused } = await line.letters.send([
    toRejectedMessage("small"),
    toRejectedMessage("large", "x".repeat(2_000)),
  ]);
  strictEqual(failed.size, 0);
  deepStrictEqual([...refused], [["large", "InvalidParameterValue"]]);
  deepStrictEqual((await line.receiveAll()).map(idOf), ["small"]);
});

// It used to throw, and what the first call had sent was sent again with the rest.
Deno.test("send() names only what was not sent when a later call fails", async () => {
  await using line = await create();
  let calls = 0;
  line.proxy.fault = () => ++calls === 2 ? sqsError(500, "InternalFailure") : undefined;
  const ids = Array.from({ length: 25 }, (_, index) => `m${index}`);
  const { failed } = await line.letters.send(ids.map((id) => toRejectedMessage(id)));
  deepStrictEqual([...failed.keys()], ids.slice(10));
  ok([...failed.values()].every((code) => code === "InternalFailure"), [...failed.values()].join());
  strictEqual(calls, 2);
});

Deno.test("send() names all when every entry fails", async () => {
  await using line = await create();
  line.proxy.fault = (request) => failEntries(request);
  const { failed } = await line.letters.send([toRejectedMessage("a"), toRejectedMessage("b")]);
  deepStrictEqual([...failed], [["a", "InternalError"], ["b", "InternalError"]]);
});

Deno.test("send() calls nothing when there is nothing to send", async () => {
  await using line = await create();
  await line.letters.send([]);
  strictEqual(line.proxy.calls.get("SendMessageBatch"), undefined);
});
