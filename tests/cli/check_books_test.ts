import { deepStrictEqual } from "node:assert";
import { sampleMessages } from "../../lib/local/sample.ts";
import { createLine, type Line } from "../support/line.ts";
import { runMaskline } from "../support/maskline.ts";
import { startQueueServer } from "../support/queue_server.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";

const postgres = await sharedPostgres();
const queues = await startQueueServer();

/** A line that has worked off 39 events and a message that is none. */
async function drained(env: Readonly<Record<string, string>> = {}): Promise<Line> {
  const line = await createLine({ postgres, queues });
  await line.queue.send(sampleMessages({ count: 40 }));
  await line.drain(env);
  return line;
}

/** The lines of `check --books` from the books on. */
async function books(line: Line): Promise<{ code: number; lines: string[] }> {
  const { code, out } = await runMaskline(["check", "--books"], { env: line.env });
  const lines = out.trimEnd().split("\n");
  return { code, lines: lines.slice(lines.indexOf("ok    privileges") + 1) };
}

Deno.test("check --books says ok when ledger, rows and rejections agree", async () => {
  await using line = await drained();
  deepStrictEqual(await books(line), {
    code: 0,
    lines: ["ok    books", "note  39 committed and 1 rejected stand in the ledger"],
  });
});

Deno.test("check --books fails when a row is missing", async () => {
  await using line = await drained();
  await line.database.query(
    "DELETE FROM user_logins WHERE ctid = (SELECT min(ctid) FROM user_logins)",
  );
  deepStrictEqual(await books(line), {
    code: 1,
    lines: ["WRONG books: 39 messages are committed in the ledger, but only 38 rows are there"],
  });
});

/** Takes rows away and notes them as removed. */
async function remove(line: Line, rows: number, noted: readonly number[]): Promise<void> {
  await line.database.query(
    "DELETE FROM user_logins WHERE ctid = ANY(ARRAY(SELECT ctid FROM user_logins LIMIT $1))",
    [rows],
  );
  await line.database.query(
    "INSERT INTO maskline.removed (why, rows) SELECT 'forget', unnest($1::bigint[])",
    [noted],
  );
}

Deno.test("check --books says ok when the rows that are missing were removed on purpose", async () => {
  await using line = await drained();
  await remove(line, 5, [2, 3]);
  deepStrictEqual(await books(line), {
    code: 0,
    lines: [
      "ok    books",
      "note  39 committed and 1 rejected stand in the ledger",
      "note  5 rows were removed on purpose",
    ],
  });
});

Deno.test("check --books fails when more rows are missing than were removed on purpose", async () => {
  await using line = await drained();
  await remove(line, 5, [4]);
  const wrong =
    "39 messages are committed in the ledger, but only 34 rows are there and 4 were removed";
  deepStrictEqual(await books(line), { code: 1, lines: [`WRONG books: ${wrong}`] });
});

Deno.test("check --books notes rows of another hand beside those that were removed", async () => {
  await using line = await drained();
  await remove(line, 5, [5]);
  await line.database.query("INSERT INTO user_logins (user_id) VALUES ('theirs')");
  deepStrictEqual((await books(line)).lines.slice(2), [
    "note  5 rows were removed on purpose",
    "note  1 rows have no ledger entry: another hand wrote them",
  ]);
});

Deno.test("check --books notes rows of another hand, and rejections that went to a queue", async () => {
  const letters = await queues.createQueue();
  await using line = await drained({ REJECTED_TO: "queue", SQS_DLQ_URL: letters.url });
  await line.database.query("INSERT INTO user_logins (user_id) VALUES ('theirs'), ('theirs')");
  deepStrictEqual(await books(line), {
    code: 0,
    lines: [
      "ok    books",
      "note  39 committed and 1 rejected stand in the ledger",
      "note  2 rows have no ledger entry: another hand wrote them",
      "note  1 rejections went to a queue",
    ],
  });
});

Deno.test("check --books fails when rejections are there that the ledger does not know", async () => {
  await using line = await createLine({ postgres, queues });
  await line.database.query(
    `INSERT INTO maskline.rejected (message_id, sent_at, receive_count, reason, sealed, key_id)
      VALUES ('a', now(), 1, 'missing', '', 'v1')`,
  );
  deepStrictEqual(await books(line), {
    code: 1,
    lines: ["WRONG books: 1 rejections are there, but 0 stand in the ledger"],
  });
});
