import { rejects, strictEqual } from "node:assert";
import { createSqsClient } from "../../../lib/queue/sqs/sdk_client.ts";
import { SqsQueue } from "../../../lib/queue/sqs/sqs_queue.ts";
import { awsVariables } from "../../support/line.ts";
import { makers, openCalls } from "./calls.ts";

/** Each number is how many turns of the event loop the client gets to connect and to send. */
const ROUND_TRIPS = 20;

for (const maker of makers) {
  Deno.test(`receive() is not resent, which would hide ten messages, when it is aborted (${maker})`, async () => {
    const over = Promise.withResolvers<void>();
    const second = Promise.withResolvers<void>();
    let calls = 0;
    const ports: number[] = [];
    const server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      async (request, { remoteAddr }) => {
        // Deno closes the connection of a request whose body is not read.
        await request.text();
        ports.push(remoteAddr.port);
        // The second request uses the connection of the first and gets no answer.
        if (++calls === 2) {
          second.resolve();
          await over.promise;
        }
        return Response.json({});
      },
    );
    const url = new URL(`http://127.0.0.1:${server.addr.port}/000000000000/queue`);
    const variables = awsVariables(url.origin);
    for (const [name, value] of Object.entries(variables)) Deno.env.set(name, value);
    const client = createSqsClient(url, 2);
    const queue = new SqsQueue({
      calls: await openCalls(maker, client),
      url: url.href,
      leaseSeconds: 30,
    });
    const receive = (signal: AbortSignal) => queue.receive({ waitSeconds: 0, signal });
    const never = new AbortController().signal;
    const givenUp = new AbortController();
    await receive(never);
    const hanging = receive(givenUp.signal);
    await second.promise;
    // On a connection of its own it would not be resent in any case.
    strictEqual(ports[1], ports[0]);
    givenUp.abort();
    await rejects(hanging, { code: "AbortError" });
    // A resent request arrives among these. On the signed path it came after the first of them.
    for (let i = 0; i < ROUND_TRIPS; i++) await receive(never);
    strictEqual(calls, 2 + ROUND_TRIPS);
    queue.close();
    over.resolve();
    await server.shutdown();
    for (const name of Object.keys(variables)) Deno.env.delete(name);
  });
}
