import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { createHmac, hkdfSync } from "node:crypto";
import { open } from "../support/open_sealed.ts";
import { createLine, type Line } from "../support/line.ts";
import { runMaskline } from "../support/maskline.ts";
import { startQueueServer } from "../support/queue_server.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";
import { failEntries, startSqsProxy } from "../support/sqs_proxy.ts";
import { dumpText } from "../support/dump.ts";

const postgres = await sharedPostgres();

const messages = (await Deno.readTextFile(new URL("messages.jsonl", import.meta.url)))
  .trim().split("\n");

interface Login {
  user_id: string;
  device_type: string;
  ip: string;
  device_id: string;
  locale: string | null;
  app_version: string;
}

const logins = messages.map((text) => JSON.parse(text) as Login).filter((event) =>
  "user_id" in event
);

/** Computes a mask by the design's formula, independently of the program. */
function maskOf(key: Uint8Array, field: string, value: string): string {
  const subkey = new Uint8Array(hkdfSync("sha256", key, "", `maskline/mask/v1/${field}`, 32));
  return `k1.${createHmac("sha256", subkey).update(value, "utf8").digest("base64url")}`;
}

async function filled(queues: Awaited<ReturnType<typeof startQueueServer>>): Promise<Line> {
  const line = await createLine({ postgres, queues });
  await line.queue.send(messages);
  return line;
}

Deno.test("drain writes 99 rows and 1 rejection when it receives the exercise's 100 messages", async () => {
  await using queues = await startQueueServer();
  await using line = await filled(queues);
  const { code, books } = await line.drain();
  const { seconds, ...counts } = books;
  strictEqual(code, 0);
  ok(seconds > 0);
  deepStrictEqual(counts, { received: 100, committed: 99, duplicate: 0, rejected: 1, released: 0 });
  deepStrictEqual(await line.count(), { rows: 99, rejected: 1, ledger: 100 });
  deepStrictEqual(await line.queue.inspect(), { ready: 0, inflight: 0, delayed: 0 });
});

Deno.test("drain writes masks by the design's formula and the UTC date sent when it stores a row", async () => {
  await using queues = await startQueueServer();
  await using line = await filled(queues);
  await line.drain();
  const rows = await line.database.query<Record<string, unknown>>(
    `SELECT user_id, device_type, masked_ip, masked_device_id, locale, app_version,
      create_date = (now() AT TIME ZONE 'UTC')::date AS dated FROM user_logins`,
  );
  const pack = (version: string) => {
    const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
    return major * 1_000_000 + minor * 1_000 + patch;
  };
  const expected = logins.map((event) => ({
    user_id: event.user_id,
    device_type: event.device_type,
    // The sample's IPv6 addresses can have leading zeros, which the canonical form does not have.
    masked_ip: maskOf(line.maskKey, "ip", event.ip.replaceAll(/:0{1,3}(?=[0-9a-f])/g, ":")),
    masked_device_id: maskOf(line.maskKey, "device_id", event.device_id),
    locale: event.locale,
    app_version: pack(event.app_version),
    dated: true,
  }));
  const sort = (list: object[]) => list.map((row) => JSON.stringify(row)).sort();
  deepStrictEqual(sort(rows), sort(expected));
});

Deno.test("drain leaves no address and no device id in clear in the database when it stores events", async () => {
  await using queues = await startQueueServer();
  await using line = await filled(queues);
  await line.drain();
  const dump = await dumpText(line.database);
  match(dump, /k1\./);
  for (const { ip, device_id } of logins) {
    ok(!dump.includes(ip) && !dump.includes(device_id));
  }
});

Deno.test("drain seals the body for the private key when it rejects a message", async () => {
  await using queues = await startQueueServer();
  await using line = await filled(queues);
  await line.drain();
  const [row] = await line.database.query<
    { message_id: string; reason: string; field: string; sealed: Uint8Array; key_id: string }
  >("SELECT message_id, reason, field, sealed, key_id FROM maskline.rejected");
  ok(row);
  deepStrictEqual([row.reason, row.field, row.key_id], ["missing", "user_id", "v1"]);
  const binding = { field: "rejected", mask: row.message_id };
  const body = await open(line.vaultPrivateKey, new Uint8Array(row.sealed), binding);
  ok(messages.includes(body) && body.includes("foo"));
});

Deno.test("drain adds no row when all messages are redelivered", async () => {
  await using queues = await startQueueServer();
  await using proxy = startSqsProxy(queues.endpoint);
  await using line = await createLine({
    postgres,
    queues,
    queueAttributes: { VisibilityTimeout: "30" },
  });
  await line.queue.send(messages);
  // Deletes fail. The received messages become visible again at once instead.
  proxy.fault = async (request) => {
    if (request.action !== "DeleteMessageBatch") return undefined;
    const entries = request.body["Entries"] as { Id: string; ReceiptHandle: string }[];
    const { queue } = line;
    await fetch(queues.endpoint, {
      method: "POST",
      headers: {
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": "AmazonSQS.ChangeMessageVisibilityBatch",
      },
      body: JSON.stringify({
        QueueUrl: queue.url,
        Entries: entries.map((entry) => ({ ...entry, VisibilityTimeout: 0 })),
      }),
    }).then((response) => response.body?.cancel());
    return failEntries(request);
  };
  const first = line.start({ AWS_ENDPOINT_URL_SQS: proxy.endpoint });
  await first.untilErr(/could not be deleted/);
  first.kill("SIGKILL");
  await first.ended;
  const before = await line.count();
  const second = await line.drain();
  deepStrictEqual(await line.count(), before);
  deepStrictEqual(before, { rows: 99, rejected: 1, ledger: 100 });
  strictEqual(second.books.committed + second.books.rejected, 0);
});

Deno.test("drain uses the target table unchanged when it existed before the migration", async () => {
  await using queues = await startQueueServer();
  await using line = await createLine({ postgres, queues, unmigrated: true });
  await line.database.query(
    `CREATE TABLE user_logins (user_id varchar(128), device_type varchar(32), masked_ip varchar(256),
      masked_device_id varchar(256), locale varchar(32), app_version integer, create_date date)`,
  );
  await line.database.query(
    `INSERT INTO user_logins VALUES ('old', 'old', 'old', 'old', null, 1, '2020-01-01')`,
  );
  const columns = () =>
    line.database.query(
      `SELECT column_name, data_type, character_maximum_length FROM information_schema.columns
      WHERE table_name = 'user_logins' ORDER BY ordinal_position`,
    );
  const before = await columns();
  strictEqual((await runMaskline(["migrate"], { env: line.env })).code, 0);
  await line.queue.send(messages);
  await line.drain();
  deepStrictEqual(await columns(), before);
  strictEqual((await line.count()).rows, 100);
});

Deno.test("drain refuses to start, and receives nothing, when the tables are missing", async () => {
  await using queues = await startQueueServer();
  await using line = await createLine({ postgres, queues, unmigrated: true });
  await line.queue.send(messages);
  const { code, err } = await runMaskline(["drain"], { env: line.env });
  strictEqual(code, 1);
  match(err, /run `maskline migrate`/);
  deepStrictEqual(await line.queue.inspect(), { ready: 100, inflight: 0, delayed: 0 });
});

Deno.test("drain refuses to start and names the column when a column has the wrong type", async () => {
  await using queues = await startQueueServer();
  await using line = await createLine({ postgres, queues });
  await line.database.query("ALTER TABLE user_logins ALTER COLUMN locale TYPE varchar(8)");
  const { code, err } = await runMaskline(["drain"], { env: line.env });
  strictEqual(code, 1);
  match(err, /: expected locale varchar\(32\), got varchar\(8\)/);
});
