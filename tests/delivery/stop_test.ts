import { match, ok, strictEqual } from "node:assert";
import { sampleEvents } from "../../lib/local/sample.ts";
import { createLine } from "../support/line.ts";
import { lastBooks, until, untilCount } from "../support/progress.ts";
import { startQueueProcess } from "../support/queue_process.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";
import { startMaskline } from "../support/maskline.ts";
import { startTcpProxy } from "../support/tcp_proxy.ts";

const postgres = await sharedPostgres();

Deno.test("run stops within STOP_SECONDS with balanced books when it receives SIGTERM under load", async () => {
  await using queues = await startQueueProcess();
  await using line = await createLine({ postgres, queues });
  await line.queue.send(sampleEvents({ count: 5_000 }));
  const worker = line.start({ STOP_SECONDS: "5" });
  await untilCount(line, ({ rows }) => rows > 500);
  const signaledAt = performance.now();
  worker.kill("SIGTERM");
  const { code, err } = await worker.ended;
  ok(performance.now() - signaledAt < 5_000);
  strictEqual(code, 0, err);
  const books = lastBooks(err);
  strictEqual(books.inFlight, 0);
  const { rows } = await line.count();
  strictEqual(books.committed, rows);
  // Each message in flight was finished or released: no lease hides a message.
  strictEqual((await line.queue.takeAll()).length, 5_000 - rows);
});

Deno.test("run releases the messages in flight, visible at once, when it is stopped while the ledger is locked", async () => {
  await using queues = await startQueueProcess();
  await using line = await createLine({ postgres, queues });
  await line.queue.send(sampleEvents({ count: 300 }));
  await using lock = await lockTable(line.database.url);
  const worker = line.start({ STOP_SECONDS: "2", STATEMENT_SECONDS: "60" });
  await until(() => line.queue.inspect(), ({ inflight }) => inflight === 300);
  worker.kill("SIGTERM");
  const { code, err } = await worker.ended;
  strictEqual(code, 0, err);
  strictEqual(lastBooks(err).released, 300);
  strictEqual((await line.queue.takeAll()).length, 300);
  await lock.release();
});

Deno.test("run ends at once when it receives a second signal more than a second later", async () => {
  await using queues = await startQueueProcess();
  await using line = await createLine({ postgres, queues });
  await line.queue.send(sampleEvents({ count: 300 }));
  await using _lock = await lockTable(line.database.url);
  const worker = line.start({ STOP_SECONDS: "600", STATEMENT_SECONDS: "600" });
  await until(() => line.queue.inspect(), ({ inflight }) => inflight === 300);
  worker.kill("SIGTERM");
  await worker.untilErr(/Stopping/);
  // Time is what this proves: an earlier one belongs to the first.
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  worker.kill("SIGTERM");
  const { code, err } = await worker.ended;
  strictEqual(code, 1);
  match(err, /Stopping/);
});

Deno.test("run finishes the messages in flight when one request to stop arrives as several signals", async () => {
  await using queues = await startQueueProcess();
  await using line = await createLine({ postgres, queues });
  for (const signals of [["SIGTERM", "SIGTERM"], ["SIGINT", "SIGTERM", "SIGHUP"]] as const) {
    await line.queue.send(sampleEvents({ count: 1_000 }));
    const before = (await line.count()).rows;
    const worker = line.start();
    await untilCount(line, ({ rows }) => rows > before);
    for (const signal of signals) worker.kill(signal);
    const { code, err } = await worker.ended;
    strictEqual(code, 0, err);
    strictEqual(lastBooks(err).inFlight, 0);
  }
});

Deno.test("run finishes the messages in flight when its process group is signalled under `deno task`", async () => {
  await using queues = await startQueueProcess();
  await using line = await createLine({ postgres, queues });
  await line.queue.send(sampleEvents({ count: 1_000 }));
  const child = new Deno.Command("setsid", {
    args: ["--wait", Deno.execPath(), "task", "--quiet", "maskline", "run"],
    env: line.env,
    stdout: "null",
    stderr: "piped",
  }).spawn();
  try {
    await untilCount(line, ({ rows }) => rows > 0);
    // What a terminal does on Ctrl-C. `deno task` forwards the signal besides. `setsid` made it a group.
    Deno.kill(-child.pid, "SIGINT");
    const err = await new Response(child.stderr).text();
    strictEqual(lastBooks(err).inFlight, 0, err);
  } catch (error) {
    Deno.kill(-child.pid, "SIGKILL");
    throw error;
  } finally {
    await child.status;
  }
});

Deno.test("run stops as on SIGTERM when its terminal is closed", async () => {
  await using queues = await startQueueProcess();
  await using line = await createLine({ postgres, queues });
  await line.queue.send(sampleEvents({ count: 1_000 }));
  const worker = line.start();
  await untilCount(line, ({ rows }) => rows > 0);
  worker.kill("SIGHUP");
  const { code, err } = await worker.ended;
  strictEqual(code, 0, err);
  strictEqual(lastBooks(err).inFlight, 0);
});

for (const part of ["queue", "database"] as const) {
  Deno.test(`run ends with 0 within STOP_SECONDS when it is stopped while the ${part} never answers`, async () => {
    await using queues = await startQueueProcess();
    await using line = await createLine({ postgres, queues });
    const address = part === "queue" ? queues.endpoint : line.database.url;
    await using deaf = startTcpProxy(Number(new URL(address).port));
    deaf.blackHole = true;
    const url = new URL(address);
    url.port = String(deaf.port);
    const worker = line.start({
      STOP_SECONDS: "2",
      ...(part === "queue"
        ? {
          AWS_ENDPOINT_URL_SQS: url.origin,
          SQS_QUEUE_URL: line.queue.url.replace(queues.endpoint, url.origin),
        }
        : { DATABASE_URL: url.href }),
    });
    await until(async () => deaf.connections, (count) => count > 0);
    const signaledAt = performance.now();
    worker.kill("SIGTERM");
    const { code, err } = await worker.ended;
    ok(performance.now() - signaledAt < 4_000, err);
    strictEqual(code, 0, err);
    match(err, /Stopped before the queue and the database answered/);
  });
}

Deno.test("run ends in time when a client has sent half of a request to /healthz", async () => {
  await using queues = await startQueueProcess();
  await using line = await createLine({ postgres, queues });
  const worker = line.start({ HTTP_ADDRESS: "127.0.0.1:0" });
  await worker.untilErr(/Listening/);
  const [, port] = /127\.0\.0\.1:(\d+)\/books/.exec(worker.err()) ?? [];
  using client = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  const request = "GET /healthz HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nhalf";
  await client.write(new TextEncoder().encode(request));
  // It is being answered.
  await client.read(new Uint8Array(1));
  worker.kill("SIGTERM");
  // It would wait for the client for ever.
  const timer = setTimeout(() => worker.kill("SIGKILL"), 15_000);
  const { code, err } = await worker.ended;
  clearTimeout(timer);
  strictEqual(code, 0, err);
});

for (const fault of ["rejection", "exception", "text"]) {
  Deno.test(`run stops in order, with 1 and no foreign text, when nothing waits for an error: ${fault}`, async () => {
    await using queues = await startQueueProcess();
    await using line = await createLine({ postgres, queues });
    await line.queue.send(sampleEvents({ count: 300 }));
    await using _lock = await lockTable(line.database.url);
    const worker = startMaskline(["run"], {
      env: { ...line.env, MASKLINE_TEST_FAULT: fault, STOP_SECONDS: "2", STATEMENT_SECONDS: "60" },
      entry: new URL("../support/faulty_main.ts", import.meta.url),
    });
    await until(() => line.queue.inspect(), ({ inflight }) => inflight === 300);
    worker.kill("SIGUSR2");
    const { code, out, err } = await worker.ended;
    strictEqual(code, 1, err);
    match(err, /Maskline failed with (?:RangeError|a value that is not an error), which is a bug/);
    ok(!/zq-canary|192\.0\.2\.77/.test(out + err), err);
    strictEqual(lastBooks(err).released, 300);
    strictEqual((await line.queue.takeAll()).length, 300);
  });
}

/** Locks the ledger, so that no commit succeeds until the lock is released. */
async function lockTable(url: string) {
  const { Client } = (await import("pg")).default;
  const client = new Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  await client.query("BEGIN; LOCK TABLE maskline.ledger IN ACCESS EXCLUSIVE MODE");
  let released = false;
  const release = async () => {
    if (!released) await client.end();
    released = true;
  };
  return { release, [Symbol.asyncDispose]: release };
}
