import { deepStrictEqual, match, strictEqual } from "node:assert";
import { open } from "../support/open_sealed.ts";
import { sampleEvents } from "../../lib/local/sample.ts";
import { createLine } from "../support/line.ts";
import { runMaskline } from "../support/maskline.ts";
import { startQueueServer } from "../support/queue_server.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";

const postgres = await sharedPostgres();

Deno.test("drain rejects one message and commits the other 299 when a constraint forbids its row", async () => {
  await using queues = await startQueueServer();
  await using line = await createLine({ postgres, queues });
  await line.database.query("ALTER TABLE user_logins ADD CHECK (device_type <> 'forbidden')");
  const events = sampleEvents({ count: 299 });
  const bad = JSON.stringify({ ...JSON.parse(events[0] ?? "{}"), device_type: "forbidden" });
  await line.queue.send(events.toSpliced(140, 0, bad));
  const { books, err } = await line.drain();
  deepStrictEqual([books.committed, books.rejected], [299, 1], err);
  deepStrictEqual(await line.count(), { rows: 299, rejected: 1, ledger: 300 });
  const [row] = await line.database.query<
    { message_id: string; reason: string; sqlstate: string; sealed: Uint8Array }
  >("SELECT message_id, reason, sqlstate, sealed FROM maskline.rejected");
  deepStrictEqual([row?.reason, row?.sqlstate], ["store_refused", "23514"]);
  const binding = { field: "rejected", mask: row?.message_id ?? "" };
  strictEqual(await open(line.vaultPrivateKey, new Uint8Array(row?.sealed ?? []), binding), bad);
});

Deno.test("drain exits with 1 and deletes nothing when a privilege is missing", async () => {
  await using queues = await startQueueServer();
  await using line = await createLine({ postgres, queues });
  await line.database.query("CREATE ROLE nobody_much LOGIN").catch(() => {});
  await line.database.query("GRANT USAGE ON SCHEMA maskline TO nobody_much");
  await line.database.query("GRANT SELECT ON ALL TABLES IN SCHEMA maskline TO nobody_much");
  await line.queue.send(sampleEvents({ count: 30 }));
  const url = new URL(line.database.url);
  url.username = "nobody_much";
  const env = { ...line.env, DATABASE_URL: url.href };
  const { code, err } = await runMaskline(["drain"], { env });
  strictEqual(code, 1);
  match(err, /42501/);
  strictEqual((await line.queue.takeAll()).length, 30);
  await line.database.query("DROP OWNED BY nobody_much");
});

Deno.test("drain sends rejected messages to the dead-letter queue when REJECTED_TO is queue and VAULT is off", async () => {
  await using queues = await startQueueServer();
  await using line = await createLine({ postgres, queues });
  const deadLetters = await queues.createQueue();
  await line.queue.send([...sampleEvents({ count: 12 }), "not JSON", '{"foo": 1}']);
  const { VAULT_PUBLIC_KEY: _, ...env } = line.env;
  const { code, out, err } = await runMaskline(["drain", "--json"], {
    env: { ...env, VAULT: "off", REJECTED_TO: "queue", SQS_DLQ_URL: deadLetters.url },
  });
  strictEqual(code, 0, err);
  strictEqual(JSON.parse(out).rejected, 2);
  deepStrictEqual(await line.count(), { rows: 12, rejected: 0, ledger: 14 });
  strictEqual((await deadLetters.inspect()).ready, 2);
});
