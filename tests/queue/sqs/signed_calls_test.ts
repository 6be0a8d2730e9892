import { ok, rejects, strictEqual } from "node:assert";
import type { SqsCalls } from "../../../lib/queue/sqs/calls.ts";
import { resolveEndpoint } from "../../../lib/queue/sqs/endpoint.ts";
import { SignedCalls } from "../../../lib/queue/sqs/signed_calls.ts";
import { clientFor, openCalls } from "./calls.ts";
import { readRequest, startRawServer, writeAnswer } from "./raw_server.ts";

const MINUTE = 60_000;
const options = { purpose: "ask", deadlineSeconds: 10 };

function receive(calls: SqsCalls) {
  return calls.call("ReceiveMessage", { QueueUrl: "q" }, options);
}

function headerOf(request: string, name: string): string {
  return new RegExp(`^${name}: (.*)\r$`, "im").exec(request)?.[1] ?? "";
}

/** Answers with what `respond` returns, and records the requests. */
function startServer(respond: (request: string, count: number) => [status: number, type?: string]) {
  const requests: string[] = [];
  const server = startRawServer(async (conn): Promise<void> => {
    for (let request; (request = await readRequest(conn));) {
      const [status, type] = respond(request, requests.push(request));
      const body = type === undefined ? "{}" : JSON.stringify({ __type: `com.amazonaws#${type}` });
      await writeAnswer(conn, body, {
        status,
        headers: `date: ${new Date(Date.now() + started.ahead).toUTCString()}\r\n`,
      });
    }
  });
  const started = Object.assign(server, { requests, ahead: 0 });
  return started;
}

Deno.test("call() signs for the client's region and host, with its session token", async () => {
  await using server = startServer(() => [200]);
  const client = clientFor(server.endpoint, {
    region: "eu-west-3",
    credentials: { accessKeyId: "AKID", secretAccessKey: "secret", sessionToken: "token/1" },
  });
  const calls = await openCalls("signed", client);
  await receive(calls);
  calls.close();
  const [request = ""] = server.requests;
  ok(request.startsWith("POST / HTTP/1.1\r\n"), request);
  strictEqual(headerOf(request, "host"), new URL(server.endpoint).host);
  strictEqual(headerOf(request, "x-amz-target"), "AmazonSQS.ReceiveMessage");
  strictEqual(headerOf(request, "content-type"), "application/x-amz-json-1.0");
  strictEqual(headerOf(request, "x-amz-security-token"), "token/1");
  const day = headerOf(request, "x-amz-date").slice(0, 8);
  ok(
    headerOf(request, "authorization").startsWith(
      `AWS4-HMAC-SHA256 Credential=AKID/${day}/eu-west-3/sqs/aws4_request, SignedHeaders=` +
        "content-type;host;x-amz-date;x-amz-security-token;x-amz-target;x-amzn-query-mode, ",
    ),
    headerOf(request, "authorization"),
  );
});

/** Creates new credentials for each request, and counts the requests. */
function countedCredentials(lifeMs: number | undefined) {
  const provider = () => {
    const accessKeyId = `AKID${++counted.made}`;
    const expiration = lifeMs === undefined ? {} : { expiration: new Date(Date.now() + lifeMs) };
    return Promise.resolve({ accessKeyId, secretAccessKey: "secret", ...expiration });
  };
  const counted = { provider, made: 0 };
  return counted;
}

function keyOf(request = ""): string {
  return /Credential=([^/]+)/.exec(request)?.[1] ?? "";
}

Deno.test("call() requests credentials once when they never expire", async () => {
  await using server = startServer(() => [200]);
  const credentials = countedCredentials(undefined);
  const calls = await openCalls(
    "signed",
    clientFor(server.endpoint, { credentials: credentials.provider }),
  );
  for (let i = 0; i < 3; i++) await receive(calls);
  calls.close();
  strictEqual(credentials.made, 1);
});

Deno.test("call() signs with new credentials when the old ones expire soon", async () => {
  await using server = startServer(() => [200]);
  // The SDK's own margin is five minutes.
  const credentials = countedCredentials(4 * MINUTE);
  const calls = await openCalls(
    "signed",
    clientFor(server.endpoint, { credentials: credentials.provider }),
  );
  const before = credentials.made;
  await receive(calls);
  await receive(calls);
  calls.close();
  ok(credentials.made >= before + 2, `${credentials.made}`);
  ok(keyOf(server.requests[0]) !== keyOf(server.requests[1]));
});

for (const code of ["ExpiredToken", "ExpiredTokenException"]) {
  Deno.test(`call() requests new credentials when the service answers ${code}`, async () => {
    await using server = startServer((request) => keyOf(request) === "AKID1" ? [403, code] : [200]);
    const credentials = countedCredentials(60 * MINUTE);
    const calls = await openCalls(
      "signed",
      clientFor(server.endpoint, { credentials: credentials.provider }),
    );
    await Promise.all([receive(calls), receive(calls), receive(calls)]);
    await receive(calls);
    calls.close();
    strictEqual(keyOf(server.requests.at(-1)), "AKID2");
    strictEqual(credentials.made, 2);
  });
}

Deno.test("call() fails without another attempt when new credentials have expired too", async () => {
  await using server = startServer(() => [403, "ExpiredToken"]);
  const credentials = countedCredentials(60 * MINUTE);
  const calls = await openCalls(
    "signed",
    clientFor(server.endpoint, { credentials: credentials.provider }),
  );
  await rejects(receive(calls), { name: "QueueError", code: "ExpiredToken" });
  calls.close();
  strictEqual(server.requests.length, 2);
});

Deno.test("call() does not resend an expired request when the credentials stay the same", async () => {
  await using server = startServer(() => [403, "ExpiredToken"]);
  const calls = await openCalls("signed", clientFor(server.endpoint));
  await rejects(receive(calls), { code: "ExpiredToken" });
  calls.close();
  strictEqual(server.requests.length, 1);
});

/** Opens calls of a client whose credentials fail. The endpoint is that of a client whose credentials work. */
async function openWithout(credentials: () => Promise<never>, url: string): Promise<SignedCalls> {
  const endpoint = await resolveEndpoint(clientFor(url), url);
  return new SignedCalls({ client: clientFor(url, { credentials }), endpoint, maxSockets: 1 });
}

Deno.test("call() fails with the code of the credential chain when there are no credentials", async () => {
  await using server = startServer(() => [200]);
  const failing = () =>
    Promise.reject(Object.assign(new Error("none"), { name: "CredentialsProviderError" }));
  const calls = await openWithout(failing, server.endpoint);
  await rejects(receive(calls), { name: "QueueError", code: "CredentialsProviderError" });
  calls.close();
});

Deno.test("call() fails at its deadline when the credentials never arrive", async () => {
  await using server = startServer(() => [200]);
  const endless = () => new Promise<never>(() => {});
  const calls = await openWithout(endless, server.endpoint);
  const asking = calls.call("ReceiveMessage", { QueueUrl: "q" }, {
    ...options,
    deadlineSeconds: 0.01,
  });
  await rejects(asking, { code: "deadline" });
  calls.close();
});

function skewOf(request: string): number {
  const [, y, m, d, h, i, s] = /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/
    .exec(headerOf(request, "x-amz-date")) ?? [];
  return Date.parse(`${y}-${m}-${d}T${h}:${i}:${s}Z`) - Date.now();
}

for (const ahead of [20 * MINUTE, -20 * MINUTE]) {
  Deno.test(`call() corrects its clock when the service's clock is ${ahead / MINUTE} minutes ahead`, async () => {
    await using server = startServer((request) =>
      Math.abs(skewOf(request) - ahead) < 5 * MINUTE ? [200] : [403, "InvalidSignatureException"]
    );
    server.ahead = ahead;
    const client = clientFor(server.endpoint);
    const calls = await openCalls("signed", client);
    await Promise.all([receive(calls), receive(calls)]);
    const asked = server.requests.length;
    await receive(calls);
    calls.close();
    strictEqual(server.requests.length, asked + 1);
    // The SDK's own calls use the correction too.
    ok(Math.abs(client.config.systemClockOffset - ahead) < MINUTE);
  });
}

Deno.test("call() does not correct its clock when the SDK's correction is disabled", async () => {
  await using server = startServer(() => [403, "RequestTimeTooSkewed"]);
  server.ahead = 20 * MINUTE;
  const client = clientFor(server.endpoint, { disableClockSkewCorrection: true });
  const calls = await openCalls("signed", client);
  await rejects(receive(calls), { code: "RequestTimeTooSkewed" });
  calls.close();
  strictEqual(server.requests.length, 1);
  strictEqual(client.config.systemClockOffset, 0);
});

Deno.test("call() does not resend a request when the service failed and the clock was wrong too", async () => {
  await using server = startServer((_, count) => count === 1 ? [500, "InternalFailure"] : [200]);
  server.ahead = 20 * MINUTE;
  const calls = await openCalls("signed", clientFor(server.endpoint));
  await rejects(receive(calls), { code: "InternalFailure" });
  calls.close();
  strictEqual(server.requests.length, 1);
});
