import { rejects, strictEqual } from "node:assert";
import { createSqsClient } from "../../lib/queue/sqs_client.ts";
import { SqsQueue } from "../../lib/queue/sqs.ts";
import { awsVariables } from "../support/line.ts";

Deno.test("sendOnce() keeps a receive that is given up from being sent again, which takes ten messages", async () => {
  const over = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  let calls = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async () => {
    // The second one comes on the connection of the first and gets no answer.
    if (++calls === 2) {
      second.resolve();
      await over.promise;
    }
    return Response.json({});
  });
  const url = new URL(`http://127.0.0.1:${server.addr.port}/000000000000/queue`);
  const variables = awsVariables(url.origin);
  for (const [name, value] of Object.entries(variables)) Deno.env.set(name, value);
  const client = createSqsClient(url, 2);
  const queue = new SqsQueue({ client, url: url.href, leaseSeconds: 30 });
  const receive = (signal: AbortSignal) => queue.receive({ waitSeconds: 0, signal });
  const never = new AbortController().signal;
  const givenUp = new AbortController();
  await receive(never);
  const hanging = receive(givenUp.signal);
  await second.promise;
  givenUp.abort();
  await rejects(hanging, { code: "AbortError" });
  // It came before this one when it was sent again.
  await receive(never);
  strictEqual(calls, 3);
  queue.close();
  over.resolve();
  await server.shutdown();
  for (const name of Object.keys(variables)) Deno.env.delete(name);
});
