import { SQSClient } from "@aws-sdk/client-sqs";
import { AwsQueryProtocol } from "@aws-sdk/core/protocols";
import { SqsQueue } from "../../lib/queue/sqs/sqs_queue.ts";
import { answerQuery } from "../bench/query_protocol.ts";
import { clientFor, type Maker, openCalls } from "../queue/sqs/calls.ts";
import { FakeQueue } from "../support/fake_queue.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { startQueueServer } from "../support/queue_server.ts";
import { type QueueUnderTest, testQueue } from "./queue.ts";

testQueue("FakeQueue", async () => {
  const clock = new ManualClock();
  const queue = new FakeQueue({ clock });
  return {
    queue,
    send: async (bodies) => queue.send(bodies),
    advance: (seconds) => clock.advance(seconds * 1000),
    makeUnavailable() {
      queue.away = "ECONNREFUSED";
      return () => queue.away = undefined;
    },
    async [Symbol.asyncDispose]() {
      queue.close();
    },
  };
});

const protocols: readonly [name: string, maker: Maker, protocol?: AwsQueryProtocol][] = [
  ["signed, json", "signed"],
  ["sdk, json", "sdk"],
  // As `createSqsClient` sets it. The client of the tests must not depend on the environment.
  [
    "sdk, query",
    "sdk",
    new AwsQueryProtocol({
      defaultNamespace: "com.amazonaws.sqs",
      xmlNamespace: "http://queue.amazonaws.com/doc/2012-11-05/",
      version: "2012-11-05",
    }),
  ],
];
for (const [name, maker, protocol] of protocols) {
  testQueue(`SqsQueue, ${name}`, () => openSqsQueue(maker, protocol));
}

/** Opens a queue on a real SQS-protocol server, behind a front that supports the older protocol and outages. */
async function openSqsQueue(maker: Maker, protocol?: AwsQueryProtocol): Promise<QueueUnderTest> {
  const server = await startQueueServer();
  const emulated = await server.createQueue();
  let away = false;
  const front = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      if (away) return new Response(null, { status: 503 });
      const [, answer] = await answerQuery(request, async (headers, body) => {
        const response = await fetch(server.endpoint, {
          method: "POST",
          headers,
          body,
          signal: request.signal,
        });
        return { status: response.status, body: await response.text() };
      });
      return answer;
    },
  );
  const client: SQSClient = clientFor(
    `http://127.0.0.1:${front.addr.port}`,
    protocol ? { protocol } : {},
  );
  const queue = new SqsQueue({
    calls: await openCalls(maker, client),
    url: emulated.url,
    leaseSeconds: 30,
  });
  return {
    queue,
    send: emulated.send,
    async advance(seconds) {
      passed += seconds * 1000;
    },
    makeUnavailable() {
      away = true;
      return () => away = false;
    },
    async [Symbol.asyncDispose]() {
      queue.close();
      await front.shutdown();
      await server.close();
    },
  };
}

// The server runs in this process and reads its leases from `Date.now()`, so that a test need not wait
// for one. Its long polls keep real time.
let passed = 0;
const realNow = Date.now;
Date.now = () => realNow() + passed;
