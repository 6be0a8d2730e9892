import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert";
import { QueueError } from "../../lib/queue/queue.ts";
import { StoreError } from "../../lib/store/store.ts";
import { readWorkerSettings } from "../../lib/worker/settings.ts";
import { openWorker, StoppedError } from "../../lib/worker/worker.ts";
import { fakeSource } from "../support/fake_io.ts";
import { freePort } from "../support/free_port.ts";
import { createLine, type Line } from "../support/line.ts";
import { startQueueServer } from "../support/queue_server.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";
import { type SqsProxy, startSqsProxy } from "../support/sqs_proxy.ts";
import { startTcpProxy } from "../support/tcp_proxy.ts";

// The SDK reads its credentials from the environment, unlike the other settings.
Deno.env.set("AWS_ACCESS_KEY_ID", "test");
Deno.env.set("AWS_SECRET_ACCESS_KEY", "test");

const postgres = await sharedPostgres();
const queues = await startQueueServer();

/** Creates a line whose queue is behind a proxy, for a worker in this process. The test fails if it leaks. */
async function withLine(
  test: (line: Line, proxy: SqsProxy) => Promise<void>,
): Promise<void> {
  await using line = await createLine({ postgres, queues });
  await using proxy = startSqsProxy(queues.endpoint);
  await test(line, proxy);
}

/** Opens a worker of this line, with another queue or database if one is given. */
function open(
  { env, queue }: Line,
  { endpoint }: { readonly endpoint: string },
  { name = queue.name, databaseUrl = env["DATABASE_URL"], signal = new AbortController().signal }: {
    name?: string;
    databaseUrl?: string | undefined;
    signal?: AbortSignal;
  },
) {
  const settings = {
    ...env,
    SQS_QUEUE_URL: `${endpoint}/000000000000/${name}`,
    DATABASE_URL: databaseUrl ?? "",
  };
  return openWorker(readWorkerSettings(fakeSource(settings)), { signal });
}

/** Returns the URL of the line's database with another port. */
function byPort({ database }: Line, port: number): string {
  const url = new URL(database.url);
  url.port = String(port);
  return url.href;
}

Deno.test("openWorker() opens queue and database, and close() closes both, when they answer", () =>
  withLine(async (line, proxy) => {
    const worker = await open(line, proxy, {});
    strictEqual(worker.pipeline.counters.received, 0);
    strictEqual(proxy.calls.get("GetQueueAttributes"), 1);
    await worker.close();
  }));

Deno.test("openWorker() calls the queue while the database is unavailable, and ends its wait when it is stopped", () =>
  withLine(async (line, proxy) => {
    const stop = new AbortController();
    const asked = Promise.withResolvers<void>();
    proxy.fault = () => {
      asked.resolve();
      return undefined;
    };
    const databaseUrl = byPort(line, freePort());
    const opening = open(line, proxy, { databaseUrl, signal: stop.signal });
    await asked.promise;
    stop.abort();
    await rejects(opening, StoppedError);
  }));

Deno.test("openWorker() throws when the queue is missing and the database is unavailable", () =>
  withLine(async (line, proxy) => {
    const opening = open(line, proxy, { name: "none", databaseUrl: byPort(line, freePort()) });
    await rejects(opening, (error) => error instanceof QueueError && !error.isTransient);
  }));

Deno.test("openWorker() closes the database when the queue is missing and Postgres never answers", () =>
  withLine(async (line, proxy) => {
    await using deaf = startTcpProxy(Number(new URL(line.database.url).port));
    deaf.blackHole = true;
    const opening = open(line, proxy, { name: "none", databaseUrl: byPort(line, deaf.port) });
    await rejects(opening, QueueError);
  }));

Deno.test("openWorker() closes the queue when it answers after the database has failed", () =>
  withLine(async (line) => {
    using database = refuseOnce();
    using queue = answerOnce(database.refused);
    const opening = open(line, queue, { databaseUrl: byPort(line, database.port) });
    await rejects(opening, (error) => {
      ok(error instanceof StoreError);
      deepStrictEqual([error.kind, error.code], ["fatal", "28P01"]);
      return true;
    });
    await queue.left;
  }));

/** Acts as a Postgres that refuses the password of the first client. */
function refuseOnce(): { port: number; refused: Promise<void> } & Disposable {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  // ErrorResponse of Postgres' protocol: fields by letter, each ended by NUL, and a NUL after the last.
  const fields = new TextEncoder().encode("SFATAL\0VFATAL\0C28P01\0Mno\0\0");
  const answer = new Uint8Array(5 + fields.length);
  answer[0] = "E".charCodeAt(0);
  new DataView(answer.buffer).setUint32(1, 4 + fields.length);
  answer.set(fields, 5);
  const refused = (async () => {
    using connection = await listener.accept();
    const piece = new Uint8Array(1024);
    await connection.read(piece);
    await connection.write(answer);
    await connection.closeWrite();
    // Until the driver closes its end too: then it has read the refusal.
    while (await connection.read(piece) !== null);
  })();
  return { port: listener.addr.port, refused, [Symbol.dispose]: () => listener.close() };
}

/** Acts as a queue that returns its attributes after `when`, and then waits until the client disconnects. */
function answerOnce(
  when: Promise<void>,
): { endpoint: string; left: Promise<void> } & Disposable {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const body = JSON.stringify({ Attributes: { VisibilityTimeout: "30" } });
  const answer = new TextEncoder().encode(
    `HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  const left = (async () => {
    using connection = await listener.accept();
    await when;
    await connection.write(answer);
    const piece = new Uint8Array(4096);
    while (await connection.read(piece) !== null);
  })();
  const endpoint = `http://127.0.0.1:${listener.addr.port}`;
  return { endpoint, left, [Symbol.dispose]: () => listener.close() };
}
