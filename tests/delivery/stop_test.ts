import { match, ok, strictEqual } from "node:assert";
import { sampleEvents } from "../../lib/local/sample.ts";
import { createLine } from "../support/line.ts";
import { lastBooks, until, untilCount } from "../support/progress.ts";
import { startQueueProcess } from "../support/queue_process.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";

const postgres = await sharedPostgres();

Deno.test("run stops within STOP_SECONDS with balanced books when SIGTERM comes under load", async () => {
  await using queues = await startQueueProcess();
  await using line = await createLine({ postgres, queues });
  await line.queue.send(sampleEvents({ count: 5_000 }));
  const worker = line.start({ STOP_SECONDS: "5" });
  await untilCount(line, ({ rows }) => rows > 500);
  const toldAt = performance.now();
  worker.kill("SIGTERM");
  const { code, err } = await worker.ended;
  ok(performance.now() - toldAt < 5_000);
  strictEqual(code, 0, err);
  const books = lastBooks(err);
  strictEqual(books.inFlight, 0);
  const { rows } = await line.count();
  strictEqual(books.committed, rows);
  // Whatever it held is finished or given back: nothing is hidden by a lease.
  strictEqual((await line.queue.takeAll()).length, 5_000 - rows);
});

Deno.test("run releases what it holds, visible at once, when it is stopped while Postgres locks it out", async () => {
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

Deno.test("run ends at once when a second signal comes", async () => {
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

/** Holds a lock on the ledger that no commit passes, until it is released. */
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
