import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { sampleEvents } from "../../lib/local/sample.ts";
import { dumpText } from "../support/dump.ts";
import { createLine, expectDone, type Line } from "../support/line.ts";
import { runMaskline } from "../support/maskline.ts";
import { startQueueServer } from "../support/queue_server.ts";
import { startSqsProxy } from "../support/sqs_proxy.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";

const postgres = await sharedPostgres();
const queues = await startQueueServer();

const WHY = ["--reason", "the check was wrong", "--ticket", "OPS-1"];
const CHECK = "ALTER TABLE user_logins ADD CONSTRAINT android_only CHECK (device_type = 'android')";

/** Reads the rows and the originals without dates, because the two lines may run on different days. */
async function keptBy({ database }: Line): Promise<unknown> {
  return {
    rows: await database.query(
      `SELECT user_id, device_type, masked_ip, masked_device_id, locale, app_version
        FROM user_logins ORDER BY user_id, app_version, masked_ip`,
    ),
    originals: await database.query("SELECT field, mask FROM maskline.vault ORDER BY field, mask"),
  };
}

Deno.test("rejected replay stores what the line would have stored when the table is fixed", async () => {
  await using line = await createLine({ postgres, queues });
  const events = sampleEvents({ count: 60 });
  const refused = events.filter((text) => JSON.parse(text).device_type !== "android").length;
  ok(refused > 10 && refused < 50);
  await line.database.query(CHECK);
  await line.queue.send([...events, "not JSON"]);
  const { books } = await line.drain();
  deepStrictEqual([books.committed, books.rejected], [60 - refused, refused + 1]);

  const env = line.as("custodian");
  const replay = ["rejected", "replay", "--where-reason", "store_refused", ...WHY];
  const early = await runMaskline(replay, { env });
  strictEqual(early.code, 1);
  strictEqual(early.out, `0 replayed, 0 still rejected, ${refused} refused, 0 duplicates\n`);
  await line.database.query("ALTER TABLE user_logins DROP CONSTRAINT android_only");
  const { out } = await expectDone(runMaskline(replay, { env }));
  strictEqual(out, `${refused} replayed, 0 still rejected, 0 refused, 0 duplicates\n`);

  // The same events on a line whose table refuses none, with the same key.
  await using expected = await createLine({ postgres, queues });
  await expected.queue.send(events);
  await expected.drain({ MASK_KEY: line.env["MASK_KEY"] ?? "" });
  deepStrictEqual(await keptBy(line), await keptBy(expected));
  const days = (date: string, table: string) =>
    line.database.query(
      `SELECT ${date}::text AS day, count(*) FROM ${table} GROUP BY 1 ORDER BY 1`,
    );
  deepStrictEqual(
    await days("create_date", "user_logins"),
    await days("date_sent", "maskline.ledger WHERE outcome = 'committed'"),
  );
  const checked = await expectDone(runMaskline(["check", "--books"], { env: line.env }));
  match(checked.out, /^ok {4}books\nwarn {2}the ledger has 60 committed and 1 rejected messages$/m);
});

Deno.test("drain counts duplicates when replayed or discarded messages are redelivered", async () => {
  await using proxy = startSqsProxy(queues.endpoint);
  await using line = await createLine({ postgres, queues });
  line.env["AWS_ENDPOINT_URL_SQS"] = proxy.endpoint;
  const copies: { MessageId: string }[] = [];
  proxy.fault = async ({ action, forward }) => {
    if (action !== "ReceiveMessage") return undefined;
    const { Messages = [] } = await (await forward()).json();
    copies.push(...Messages);
    return Response.json({ Messages });
  };
  await line.database.query(CHECK);
  await line.queue.send(sampleEvents({ count: 20 }));
  const { books: { rejected } } = await line.drain();
  ok(rejected > 1);
  await line.database.query("ALTER TABLE user_logins DROP CONSTRAINT android_only");
  const env = line.as("custodian");
  const where = ["--where-reason", "store_refused", "--limit", "1"];
  await expectDone(runMaskline(["rejected", "replay", ...where, ...WHY], { env }));
  const open = await line.database.query<{ message_id: string }>(
    "SELECT message_id FROM maskline.rejected WHERE status = 'open'",
  );
  const ids = open.map(({ message_id }) => message_id);
  await expectDone(runMaskline(["rejected", "discard", ...ids, ...WHY], { env }));

  const before = await dumpText(line.database);
  proxy.fault = ({ action }) => {
    // SQS may redeliver deleted messages, from a server that was unavailable when they were deleted.
    const messages = action === "ReceiveMessage" ? copies.splice(0, 10) : [];
    return messages.length > 0 ? Response.json({ Messages: messages }) : undefined;
  };
  const { books } = await line.drain();
  deepStrictEqual([books.received, books.duplicate], [20, 20]);
  strictEqual(await dumpText(line.database), before);
  const checked = await expectDone(runMaskline(["check", "--books"], { env: line.env }));
  const committed = 21 - rejected;
  match(
    checked.out,
    new RegExp(
      `^warn  the ledger has ${committed} committed and ${rejected - 1} rejected messages$`,
      "m",
    ),
  );
});

Deno.test("rejected shows, replays and discards nothing when the role is not a custodian", async () => {
  await using line = await createLine({ postgres, queues });
  await line.queue.send(["not JSON"]);
  await line.drain();
  const before = await dumpText(line.database);
  const [row] = await line.database.query<{ message_id: string }>(
    "SELECT message_id FROM maskline.rejected",
  );
  for (const role of ["writer", "reader"]) {
    for (const verb of ["show", "replay", "discard"]) {
      const url = role === "writer" ? line.env["DATABASE_URL"] : line.as("reader")["DATABASE_URL"];
      const env = { ...line.as("custodian"), DATABASE_URL: url ?? "" };
      const args = ["rejected", verb, row?.message_id ?? "", "--reason", "curious"];
      const { code, out, err } = await runMaskline(args, { env });
      deepStrictEqual([code, out.includes("not JSON")], [1, false]);
      match(err, /^Postgres refused with SQLSTATE 42501: permission denied/);
    }
  }
  strictEqual(await dumpText(line.database), before);
});
