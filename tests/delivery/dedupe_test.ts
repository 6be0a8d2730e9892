import { deepStrictEqual, match, strictEqual } from "node:assert";
import { sampleEvents } from "../../lib/local/sample.ts";
import { createLine, expectDone, type Line } from "../support/line.ts";
import { runMaskline } from "../support/maskline.ts";
import { lastBooks, until, untilCount } from "../support/progress.ts";
import { startQueueProcess } from "../support/queue_process.ts";
import { startQueueServer } from "../support/queue_server.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";

const postgres = await sharedPostgres();

const DEDUPE = { DEDUPE_FIELD: "event_id" };

/** Creates events with the ids `e-0`, `e-1`, …, each with its own user. */
function namedEvents(count: number, more: Record<string, unknown> = {}): string[] {
  return sampleEvents({ count, users: count }).map((text, index) =>
    JSON.stringify({ ...JSON.parse(text), event_id: `e-${index}`, ...more })
  );
}

async function keys(line: Line): Promise<number> {
  const [row] = await line.database.query<{ count: number }>(
    "SELECT count(*)::integer FROM maskline.dedupe",
  );
  return row?.count ?? 0;
}

/** Fails unless there is one row for each of `events` events, and the books match the database. */
async function expectOnce(line: Line, events: number, rejected = 0): Promise<void> {
  deepStrictEqual(await line.count(), { rows: events, rejected, ledger: events + rejected });
  strictEqual(await keys(line), events);
  const [found] = await line.database.query<{ users: number }>(
    "SELECT count(DISTINCT user_id)::integer AS users FROM user_logins",
  );
  strictEqual(found?.users, events);
  deepStrictEqual(await line.queue.inspect(), { ready: 0, inflight: 0, delayed: 0 });
  const { out } = await expectDone(runMaskline(["check", "--books"], { env: line.env }));
  match(out, /^ok {4}books$/m);
}

Deno.test("drain writes one row for an event when it arrives under several message ids at once", async () => {
  await using queues = await startQueueServer();
  await using line = await createLine({ postgres, queues });
  const events = namedEvents(60);
  await line.queue.send([...events, ...events, ...events]);
  const { books, err } = await line.drain(DEDUPE);
  deepStrictEqual([books.received, books.committed, books.duplicate], [180, 60, 120], err);
  await expectOnce(line, 60);
});

Deno.test("drain writes one row for an event when it is resent after its commit", async () => {
  await using queues = await startQueueServer();
  await using line = await createLine({ postgres, queues });
  await line.queue.send(namedEvents(60));
  await line.drain(DEDUPE);
  await line.queue.send(namedEvents(80));
  const { books } = await line.drain(DEDUPE);
  deepStrictEqual([books.committed, books.duplicate], [20, 60]);
  await expectOnce(line, 80);
});

Deno.test("drain writes no row for an event when it was committed on another day", async () => {
  await using queues = await startQueueServer();
  await using line = await createLine({ postgres, queues });
  await line.database.query(
    "INSERT INTO maskline.dedupe VALUES ('d:e-0', current_date - 1), ('d:e-7', current_date - 9)",
  );
  await line.queue.send(namedEvents(10));
  const { books } = await line.drain(DEDUPE);
  deepStrictEqual([books.committed, books.duplicate], [8, 2]);
  deepStrictEqual(await line.count(), { rows: 8, rejected: 0, ledger: 8 });
});

Deno.test("run writes one row for each event when two workers receive its messages at once", async () => {
  await using queues = await startQueueProcess();
  await using line = await createLine({ postgres, queues });
  const events = namedEvents(1_000);
  const env = { ...DEDUPE, BATCH_ROWS: "100", BATCH_MILLISECONDS: "20" };
  const workers = [line.start(env), line.start(env)];
  for (const worker of workers) await worker.untilErr(/Started/);
  await line.queue.send([...events, ...events.toReversed()]);
  await untilCount(line, ({ rows }) => rows === 1_000);
  await until(() => line.queue.inspect(), ({ ready, inflight }) => ready + inflight === 0);
  for (const worker of workers) worker.kill("SIGTERM");
  let [committed, duplicate] = [0, 0];
  for (const { ended } of workers) {
    const { code, err } = await ended;
    strictEqual(code, 0, err);
    const books = lastBooks(err);
    committed += books.committed;
    duplicate += books.duplicate;
  }
  deepStrictEqual([committed, duplicate], [1_000, 1_000]);
  await expectOnce(line, 1_000);
});

Deno.test("run loses and doubles no event when all events are sent twice and a worker is killed", async () => {
  await using queues = await startQueueProcess();
  await using line = await createLine({
    postgres,
    queues,
    queueAttributes: { VisibilityTimeout: "3" },
  });
  const events = namedEvents(2_000);
  await line.queue.send([...events, ...events]);
  const env = { ...DEDUPE, BATCH_ROWS: "100", MAX_IN_FLIGHT: "400" };
  const first = line.start(env);
  await untilCount(line, ({ rows }) => rows > 300);
  first.kill("SIGKILL");
  await first.ended;
  const second = line.start(env);
  await until(() => line.queue.inspect(), ({ ready, inflight }) => ready + inflight === 0);
  second.kill("SIGTERM");
  strictEqual((await second.ended).code, 0);
  await expectOnce(line, 2_000);
});

Deno.test("drain rejects messages under their own ids when they name no event", async () => {
  await using queues = await startQueueServer();
  await using line = await createLine({ postgres, queues });
  const wrong = [undefined, null, "", "x".repeat(129), 1.5, ["e-0"]];
  await line.queue.send([
    ...namedEvents(3),
    ...wrong.flatMap((event_id) => namedEvents(1, { event_id })),
  ]);
  const { books } = await line.drain(DEDUPE);
  deepStrictEqual([books.committed, books.rejected], [3, wrong.length]);
  const rows = await line.database.query<{ reason: string; field: string }>(
    "SELECT reason, field FROM maskline.rejected ORDER BY reason",
  );
  deepStrictEqual(rows.map(({ reason, field }) => `${reason} ${field}`), [
    "missing event_id",
    "not_a_whole_number event_id",
    "too_long event_id",
    "too_short event_id",
    "wrong_type event_id",
    "wrong_type event_id",
  ]);
  await expectOnce(line, 3, wrong.length);
});

Deno.test("drain writes a row for an event when Postgres refused its first message", async () => {
  await using queues = await startQueueServer();
  await using line = await createLine({ postgres, queues });
  await line.database.query("ALTER TABLE user_logins ADD CHECK (device_type <> 'forbidden')");
  const events = namedEvents(20);
  const [bad = ""] = namedEvents(1, { device_type: "forbidden" });
  await line.queue.send([bad, ...events]);
  const { books, err } = await line.drain(DEDUPE);
  deepStrictEqual([books.committed, books.duplicate, books.rejected], [20, 0, 1], err);
  await expectOnce(line, 20, 1);
});

Deno.test("drain writes a row for every message, and stores no key, when DEDUPE_FIELD is not set", async () => {
  await using queues = await startQueueServer();
  await using line = await createLine({ postgres, queues });
  await line.queue.send([...namedEvents(20), ...namedEvents(20)]);
  const { books } = await line.drain();
  deepStrictEqual([books.committed, books.duplicate], [40, 0]);
  strictEqual(await keys(line), 0);
});
