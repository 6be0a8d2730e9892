import { match, ok, strictEqual } from "node:assert";
import { sampleEvents } from "../../lib/local/sample.ts";
import { createLine } from "../support/line.ts";
import { lastBooks, until, untilCount } from "../support/progress.ts";
import { startQueueProcess } from "../support/queue_process.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";

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

Deno.test("run ends at once when it receives a second signal", async () => {
  await using queues = await startQueueProcess();
  await using line = await createLine({ postgres, queues });
  await line.queue.send(sampleEvents({ count: 300 }));
  await using _lock = await lockTable(line.database.url);
  const worker = line.start({ STOP_SECONDS: "600", STATEMENT_SECONDS: "600" });
  await until(() => line.queue.inspect(), ({ inflight }) => inflight === 300);
  worker.kill("SIGTERM");
  await worker.untilErr(/Stopping/);
  worker.kill("SIGTERM");
  const { code, err } = await worker.ended;
  strictEqual(code, 1);
  match(err, /Stopping/);
});

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
