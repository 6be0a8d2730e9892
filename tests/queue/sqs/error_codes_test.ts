import { ok, strictEqual } from "node:assert";
import { QueueError } from "../../../lib/queue/queue.ts";
import { SqsQueue } from "../../../lib/queue/sqs/sqs_queue.ts";
import { clientFor, type Maker, makers, openCalls } from "./calls.ts";
import { readRequest, type Serve, startRawServer, writeAnswer } from "./raw_server.ts";

// The pipeline must not see which implementation makes the calls. The codes here are those of the SDK, except
// for answers that it cannot read: these have their status. The tests fail for `sdk` if a newer SDK returns
// another code.

const { signal } = new AbortController();
const CANARY = "canary-4711";

async function receiveError(maker: Maker, endpoint: string): Promise<QueueError> {
  const calls = await openCalls(maker, clientFor(endpoint));
  const queue = new SqsQueue({ calls, url: `${endpoint}/0/q`, leaseSeconds: 30 });
  try {
    const error = await queue.receive({ waitSeconds: 0, signal }).then(() => null, (why) => why);
    ok(error instanceof QueueError, `${error}`);
    ok(!`${error.message} ${error.stack} ${error.cause}`.includes(CANARY), error.message);
    return error;
  } finally {
    queue.close();
  }
}

/** Answers each request with this. */
function answer(
  status: number,
  body: string,
  headers: Record<string, string> = {},
  length?: number,
): Serve {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return async (conn) => {
    while (await readRequest(conn)) {
      await writeAnswer(conn, body, {
        status,
        headers: lines,
        ...(length === undefined ? {} : { length }),
      });
      if (length !== undefined) return;
    }
  };
}

function json(type: string): string {
  return JSON.stringify({ __type: type, message: CANARY, Message: CANARY });
}

const cases: readonly (readonly [what: string, serve: Serve, code: string, transient: boolean])[] =
  [
    [
      "the queue does not exist",
      answer(400, json("com.amazonaws.sqs#QueueDoesNotExist"), {
        "x-amzn-query-error": "AWS.SimpleQueueService.NonExistentQueue;Sender",
      }),
      "QueueDoesNotExist",
      false,
    ],
    [
      "the queue does not exist, by an emulator that knows no older codes",
      answer(400, json("com.amazonaws.sqs#QueueDoesNotExist")),
      "QueueDoesNotExist",
      false,
    ],
    [
      "access is denied",
      answer(403, json("com.amazon.coral.service#AccessDeniedException"), {
        "x-amzn-query-error": "AccessDenied;Sender",
      }),
      "AccessDenied",
      false,
    ],
    [
      "access is denied, by an emulator that knows no older codes",
      answer(403, json("com.amazon.coral.service#AccessDeniedException")),
      "AccessDeniedException",
      false,
    ],
    [
      "it is throttled",
      answer(400, json("com.amazonaws.sqs#RequestThrottled"), {
        "x-amzn-query-error": "RequestThrottled;Sender",
      }),
      "RequestThrottled",
      true,
    ],
    [
      "it is throttled in front of the service",
      answer(400, json("com.amazon.coral.availability#ThrottlingException")),
      "ThrottlingException",
      true,
    ],
    [
      "the service fails",
      answer(500, json("com.amazonaws.sqs#InternalFailure")),
      "InternalFailure",
      true,
    ],
    [
      "the code is in a header",
      answer(503, "{}", { "x-amzn-errortype": "ServiceUnavailable:http://x/" }),
      "ServiceUnavailable",
      true,
    ],
    ["the service fails without a body", answer(500, ""), "http_500", true],
    ["the service fails with a body without a code", answer(500, "{}"), "http_500", true],
    [
      "a proxy answers in HTML",
      answer(503, `<html>${CANARY}</html>`, { "content-type": "text/html" }),
      "http_503",
      true,
    ],
    ["an error is truncated", answer(500, `{"__type":"${CANARY}`), "http_500", true],
    [
      "an answer is truncated in its JSON",
      answer(200, `{"Messages":[{"Body":"${CANARY}`),
      "SyntaxError",
      false,
    ],
    [
      "the connection is closed during an answer",
      answer(200, `{"Messages":[{"Body":"${CANARY}`, {}, 10_000),
      "ECONNRESET",
      true,
    ],
    [
      "the connection is closed before an answer",
      async (conn) => void await readRequest(conn),
      "ECONNRESET",
      true,
    ],
  ];

for (const [what, serve, code, transient] of cases) {
  for (const maker of makers) {
    Deno.test(`receive() fails with ${code} when ${what} (${maker})`, async () => {
      await using server = startRawServer(serve);
      const error = await receiveError(maker, server.endpoint);
      strictEqual(error.code, code);
      strictEqual(error.isTransient, transient);
    });
  }
}

for (const maker of makers) {
  Deno.test(`receive() fails with ECONNREFUSED when no server listens (${maker})`, async () => {
    const error = await receiveError(maker, "http://127.0.0.1:1");
    strictEqual(error.code, "ECONNREFUSED");
  });

  Deno.test(`receive() fails with the resolver's code when the host is unknown (${maker})`, async () => {
    const error = await receiveError(maker, "http://nowhere.invalid");
    ok(["ENOTFOUND", "EAI_AGAIN"].includes(error.code), error.code);
  });

  Deno.test(`call() fails with deadline when no answer comes (${maker})`, async () => {
    await using server = startRawServer(async (conn) => {
      while (await readRequest(conn));
    });
    const calls = await openCalls(maker, clientFor(server.endpoint));
    const options = { purpose: "ask", deadlineSeconds: 0.05 };
    const error = await calls.call("ReceiveMessage", { QueueUrl: "q" }, options)
      .then(() => null, (why) => why);
    ok(error instanceof QueueError);
    strictEqual(error.code, "deadline");
    calls.close();
  });

  Deno.test(`call() fails with AbortError when it is aborted (${maker})`, async () => {
    const asked = Promise.withResolvers<void>();
    await using server = startRawServer(async (conn) => {
      while (await readRequest(conn)) asked.resolve();
    });
    const calls = await openCalls(maker, clientFor(server.endpoint));
    const stop = new AbortController();
    const options = { purpose: "ask", deadlineSeconds: 60, signal: stop.signal };
    const asking = calls.call("ReceiveMessage", { QueueUrl: "q" }, options)
      .then(() => null, (why) => why);
    await asked.promise;
    stop.abort();
    const error = await asking;
    ok(error instanceof QueueError);
    strictEqual(error.code, "AbortError");
    calls.close();
  });
}
