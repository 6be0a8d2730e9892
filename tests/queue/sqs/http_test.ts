import { rejects, strictEqual } from "node:assert";
import type { SqsCalls } from "../../../lib/queue/sqs/calls.ts";
import { resolveEndpoint } from "../../../lib/queue/sqs/endpoint.ts";
import { SignedCalls } from "../../../lib/queue/sqs/signed_calls.ts";
import { clientFor, makers, openCalls } from "./calls.ts";
import { readRequest, startRawServer, writeAnswer } from "./raw_server.ts";

const options = { purpose: "ask", deadlineSeconds: 10 };

function receive(calls: SqsCalls, signal?: AbortSignal) {
  return calls.call("ReceiveMessage", { QueueUrl: "q" }, signal ? { ...options, signal } : options);
}

/** Answers each request with an empty answer, and counts them. */
function startServer() {
  const server = startRawServer(async (conn): Promise<void> => {
    while (await readRequest(conn)) {
      counted.answered++;
      await writeAnswer(conn, "{}");
    }
  });
  const counted = Object.assign(server, { answered: 0 });
  return counted;
}

for (const maker of makers) {
  Deno.test(`call() reuses its connection when it is called again (${maker})`, async () => {
    await using server = startServer();
    const calls = await openCalls(maker, clientFor(server.endpoint));
    for (let i = 0; i < 20; i++) await receive(calls);
    calls.close();
    strictEqual(server.connections, 1);
  });

  Deno.test(`call() succeeds when the server closed the idle connections meanwhile (${maker})`, async () => {
    await using server = startServer();
    const calls = await openCalls(maker, clientFor(server.endpoint));
    for (let i = 0; i < 10; i++) {
      await Promise.all([receive(calls), receive(calls)]);
      server.cut();
    }
    calls.close();
    strictEqual(server.answered, 20);
  });

  Deno.test(`call() succeeds when the server closes an idle connection on the next request (${maker})`, async () => {
    let answered = 0;
    await using server = startRawServer(async (conn, number) => {
      // Like a load balancer whose idle timeout expires while the request is sent: each of the first
      // connections serves one request, reads another, and closes.
      while (await readRequest(conn)) {
        await writeAnswer(conn, "{}");
        answered++;
        if (number <= 3) return void await readRequest(conn);
      }
    });
    const calls = await openCalls(maker, clientFor(server.endpoint));
    for (let i = 0; i < 5; i++) await receive(calls);
    calls.close();
    strictEqual(answered, 5);
  });
}

Deno.test("call() waits when as many calls are in progress as there may be connections", async () => {
  const over = Promise.withResolvers<void>();
  let most = 0;
  let now = 0;
  const two = Promise.withResolvers<void>();
  await using server = startRawServer(async (conn) => {
    while (await readRequest(conn)) {
      most = Math.max(most, ++now);
      if (now === 2) two.resolve();
      await over.promise;
      now--;
      await writeAnswer(conn, "{}");
    }
  });
  const client = clientFor(server.endpoint);
  const endpoint = await resolveEndpoint(client, "http://127.0.0.1/0/q");
  const calls = new SignedCalls({ client, endpoint, maxSockets: 2 });
  const stop = new AbortController();
  const asking = Array.from({ length: 5 }, () => receive(calls));
  const givenUp = receive(calls, stop.signal);
  await two.promise;
  // A call that still waits for a connection is aborted too.
  stop.abort();
  await rejects(givenUp, { code: "AbortError" });
  over.resolve();
  await Promise.all(asking);
  calls.close();
  strictEqual(most, 2);
  strictEqual(server.connections, 2);
});

Deno.test("close() aborts calls in progress and later ones, and does not resend them", async () => {
  const hanging = Promise.withResolvers<void>();
  let asked = 0;
  await using server = startRawServer(async (conn) => {
    while (await readRequest(conn)) {
      if (++asked === 2) hanging.resolve();
      else await writeAnswer(conn, "{}");
    }
  });
  const calls = await openCalls("signed", clientFor(server.endpoint));
  await receive(calls);
  const asking = rejects(receive(calls), { name: "QueueError", code: "AbortError" });
  await hanging.promise;
  calls.close();
  await asking;
  await rejects(receive(calls), { code: "AbortError" });
  // A resent call would arrive while another client makes its calls.
  const others = await openCalls("signed", clientFor(server.endpoint));
  for (let i = 0; i < 20; i++) await receive(others);
  others.close();
  strictEqual(asked, 2 + 20);
});

Deno.test("call() reads an answer when it has many chunks or none", async () => {
  const Body = "ü€😀".repeat(100_000);
  let count = 0;
  await using server = startRawServer(async (conn) => {
    while (await readRequest(conn)) {
      const body = new TextEncoder().encode(JSON.stringify({ Messages: [{ Body }] }));
      if (++count === 1) {
        await writeAnswer(conn, "");
        continue;
      }
      await conn.write(new TextEncoder().encode(
        `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n`,
      ));
      // Chunks of 999 bytes split the characters.
      for (let at = 0; at < body.length; at += 999) {
        const piece = body.subarray(at, at + 999);
        await conn.write(new TextEncoder().encode(`${piece.length.toString(16)}\r\n`));
        await conn.write(piece);
        await conn.write(new TextEncoder().encode("\r\n"));
      }
      await conn.write(new TextEncoder().encode("0\r\n\r\n"));
    }
  });
  const calls = await openCalls("signed", clientFor(server.endpoint));
  strictEqual((await receive(calls)).Messages, undefined);
  strictEqual((await receive(calls)).Messages?.[0]?.Body, Body);
  calls.close();
});
