import { deepStrictEqual } from "node:assert";
import { sampleMessages } from "../../lib/local/sample.ts";
import { createLine, type Line } from "../support/line.ts";
import { runMaskline } from "../support/maskline.ts";
import { startQueueServer } from "../support/queue_server.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";

const postgres = await sharedPostgres();
const queues = await startQueueServer();

/** Creates a line that has processed 39 events and rejected one message. */
async function drained(env: Readonly<Record<string, string>> = {}): Promise<Line> {
  const line = await createLine({ postgres, queues });
  await line.queue.send(sampleMessages({ count: 40 }));
  await line.drain(env);
  return line;
}

/** Runs `check --books` and returns its lines after those of the other checks. */
async function books(line: Line): Promise<{ code: number; lines: string[] }> {
  const { code, out } = await runMaskline(["check", "--books"], { env: line.env });
  const lines = out.trimEnd().split("\n");
  return { code, lines: lines.slice(lines.indexOf("ok    privileges") + 1) };
}

Deno.test("check --books prints ok when ledger, rows and rejections agree", async () => {
  await using line = await drained();
  deepStrictEqual(await books(line), {
    code: 0,
    lines: ["ok    books", "warn  the ledger has 39 committed and 1 rejected messages"],
  });
});

Deno.test("check --books fails when a row is missing", async () => {
  await using line = await drained();
  await line.database.query(
    "DELETE FROM user_logins WHERE ctid = (SELECT min(ctid) FROM user_logins)",
  );
  deepStrictEqual(await books(line), {
    code: 1,
    lines: ["FAIL  books: 39 messages are committed in the ledger, but only 38 rows exist"],
  });
});

/** Deletes rows and records this many as removed. */
async function remove(line: Line, rows: number, recorded: readonly number[]): Promise<void> {
  await line.database.query(
    "DELETE FROM user_logins WHERE ctid = ANY(ARRAY(SELECT ctid FROM user_logins LIMIT $1))",
    [rows],
  );
  await line.database.query(
    "INSERT INTO maskline.removed (why, rows) SELECT 'forget', unnest($1::bigint[])",
    [recorded],
  );
}

Deno.test("check --books prints ok when the missing rows were removed on purpose", async () => {
  await using line = await drained();
  await remove(line, 5, [2, 3]);
  deepStrictEqual(await books(line), {
    code: 0,
    lines: [
      "ok    books",
      "warn  the ledger has 39 committed and 1 rejected messages",
      "warn  5 rows were removed on purpose",
    ],
  });
});

Deno.test("check --books fails when more rows are missing than were removed on purpose", async () => {
  await using line = await drained();
  await remove(line, 5, [4]);
  const failure =
    "39 messages are committed in the ledger, but only 34 rows exist and 4 were removed";
  deepStrictEqual(await books(line), { code: 1, lines: [`FAIL  books: ${failure}`] });
});

Deno.test("check --books warns about rows of another client when others were removed on purpose", async () => {
  await using line = await drained();
  await remove(line, 5, [5]);
  await line.database.query("INSERT INTO user_logins (user_id) VALUES ('theirs')");
  deepStrictEqual((await books(line)).lines.slice(2), [
    "warn  5 rows were removed on purpose",
    "warn  1 rows have no ledger entry: another client wrote them",
  ]);
});

Deno.test("check --books warns about rows of another client and rejections that were sent to a queue when they exist", async () => {
  const dlq = await queues.createQueue();
  await using line = await drained({ REJECTED_TO: "queue", SQS_DLQ_URL: dlq.url });
  await line.database.query("INSERT INTO user_logins (user_id) VALUES ('theirs'), ('theirs')");
  deepStrictEqual(await books(line), {
    code: 0,
    lines: [
      "ok    books",
      "warn  the ledger has 39 committed and 1 rejected messages",
      "warn  2 rows have no ledger entry: another client wrote them",
      "warn  1 rejected messages were sent to a queue",
    ],
  });
});

Deno.test("check --books fails when a rejection has no ledger entry", async () => {
  await using line = await createLine({ postgres, queues });
  await line.database.query(
    `INSERT INTO maskline.rejected (message_id, sent_at, receive_count, reason, sealed, key_id)
      VALUES ('a', now(), 1, 'missing', '', 'v1')`,
  );
  deepStrictEqual(await books(line), {
    code: 1,
    lines: ["FAIL  books: 1 rejections exist, but only 0 messages are rejected in the ledger"],
  });
});
