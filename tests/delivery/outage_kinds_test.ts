import { ok, strictEqual } from "node:assert";
import { createFragileLine, type FragileLine } from "../support/fragile_line.ts";
import { openSession } from "../support/open_session.ts";
import {
  createCommitGate,
  expectLimitedRetries,
  linger,
  MAX_ATTEMPTS,
  onInsert,
  terminate,
  untilCommitting,
  waitForOutages,
} from "../support/outages.ts";
import { startPostgres } from "../support/postgres_server.ts";
import { until } from "../support/progress.ts";
import { startQueueProcess } from "../support/queue_process.ts";
import { startTcpProxy } from "../support/tcp_proxy.ts";

// With `synchronous_commit` off, a crash of Postgres can lose commits, which Maskline cannot prevent.
const postgres = await startPostgres({ settings: { synchronous_commit: "on" } });
const queues = await startQueueProcess();

/** For tests that block a commit until it is interrupted, so its own time limit must not do that first. */
const patient = { STATEMENT_SECONDS: "60", MAX_IN_FLIGHT: "500", BATCH_ROWS: "100" };
const env = { STATEMENT_SECONDS: "2", MAX_IN_FLIGHT: "500", BATCH_ROWS: "100" };

/** Runs a statement in another database, at times when the line's own accepts none. */
async function fromOutside(sql: string): Promise<void> {
  await using session = await openSession(postgres.url);
  await session.query(sql);
}

/** Counts the failed transactions in the line's database. */
async function countFailed(line: FragileLine): Promise<number> {
  const [row] = await line.database.query<{ xact_rollback: string }>(
    "SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()",
  );
  return Number(row?.xact_rollback);
}

Deno.test("run commits each message once when Postgres restarts, fast and immediate, during commits", async () => {
  await using line = await createFragileLine({ postgres, queues });
  const gate = await createCommitGate(line);
  const worker = line.start(patient);
  for (const [round, mode] of (["fast", "immediate", "fast", "immediate"] as const).entries()) {
    await gate.close();
    await line.sendNext(300);
    await untilCommitting(line);
    await postgres.stop(mode);
    await waitForOutages(worker, round + 1);
    await postgres.start();
    await gate.open();
    await line.untilDone();
  }
  await line.expectDeliveredBy(worker);
  expectLimitedRetries(worker, /57P0[1-3]|connection_lost|ECONNRE\w+/, 4);
});

Deno.test("run continues when its connections are terminated repeatedly", async () => {
  await using line = await createFragileLine({ postgres, queues });
  const gate = await createCommitGate(line);
  const worker = line.start(patient);
  for (let outage = 1; outage <= 4; outage++) {
    await gate.close();
    await line.sendNext(100);
    await untilCommitting(line);
    await terminate(line);
    await waitForOutages(worker, outage);
    // The next attempt too, before it can succeed.
    await untilCommitting(line);
    await terminate(line);
    await gate.open();
    await line.untilDone();
  }
  await line.expectDeliveredBy(worker);
  expectLimitedRetries(worker, /57P01|connection_lost/, 4);
});

Deno.test("run waits and recovers by itself when a failover leaves it on a read-only server", async () => {
  await using line = await createFragileLine({ postgres, queues });
  const { name } = line.database;
  const worker = line.start(env);
  await line.sendNext(100);
  await line.untilDone();
  await fromOutside(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
  await terminate(line);
  const before = await countFailed(line);
  await line.sendNext(200);
  // Which error comes first varies: that of a terminated connection, or that of a new one.
  await waitForOutages(worker, 1);
  await until(() => countFailed(line), (count) => count >= before + 2);
  await linger();
  // Its sessions stay read-only after the default changes, until it opens new ones.
  await fromOutside(`ALTER DATABASE ${name} RESET default_transaction_read_only`);
  await line.expectDeliveredBy(worker);
  expectLimitedRetries(worker, /25006|57P01|connection_lost/);
});

Deno.test("run waits, at its start and later, when Postgres accepts no more connections", async () => {
  await using line = await createFragileLine({ postgres, queues });
  await using tcp = startTcpProxy(postgres.port);
  const { name } = line.database;
  // The limit does not apply to superusers, so the test itself can connect.
  await line.database.query(`ALTER DATABASE ${name} CONNECTION LIMIT 0`);
  const url = new URL(line.env["DATABASE_URL"] ?? "");
  url.port = String(tcp.port);
  const worker = line.start({ ...env, DATABASE_URL: url.href });
  await worker.untilErr(/Waiting for the database \(53300\)/);
  await line.database.query(`ALTER DATABASE ${name} CONNECTION LIMIT 5`);
  await line.sendNext(100);
  await line.untilDone();
  await line.database.query(`ALTER DATABASE ${name} CONNECTION LIMIT 0`);
  await terminate(line);
  const before = tcp.cuts;
  await line.sendNext(200);
  await waitForOutages(worker, 1);
  await until(async () => tcp.cuts - before, (refused) => refused >= 2);
  await linger();
  await line.database.query(`ALTER DATABASE ${name} CONNECTION LIMIT 5`);
  await line.expectDeliveredBy(worker);
  const refused = tcp.cuts - before;
  ok(refused >= 2 && refused <= 2 * MAX_ATTEMPTS, `${refused} connections`);
  expectLimitedRetries(worker, /53300|57P01|connection_lost/);
});

Deno.test("run retries at a limited rate when the disk is full and everything but a commit succeeds", async () => {
  await using line = await createFragileLine({ postgres, queues });
  await line.database.query("CREATE TABLE disk AS SELECT true AS is_full");
  // A sequence is not rolled back, so it counts the failed commits.
  await line.database.query("CREATE SEQUENCE commits");
  await onInsert(
    line,
    `IF (SELECT is_full FROM disk) THEN
      PERFORM nextval('commits');
      RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full';
    END IF`,
  );
  const commits = async () => {
    const [row] = await line.database.query<{ last_value: string }>("TABLE commits");
    return Number(row?.last_value);
  };
  const worker = line.start(env);
  await line.sendNext(400);
  // The database still answers each probe. Only a commit shows that the disk is still full.
  await worker.untilErr(/The store is unavailable \(53100\)/);
  await linger();
  await line.database.query("UPDATE disk SET is_full = false");
  await line.expectDeliveredBy(worker);
  const failed = await commits();
  // After a probe both committers retry.
  ok(failed >= 2 && failed <= 2 * MAX_ATTEMPTS, `${failed} commits failed`);
  expectLimitedRetries(worker, /53100/);
});

Deno.test("run retries its commit when Postgres cancels it to break a deadlock", async () => {
  await using line = await createFragileLine({ postgres, queues });
  await using other = await openSession(line.database.url);
  const today = "(now() AT TIME ZONE 'UTC')::date";
  const insert = `INSERT INTO maskline.ledger
    SELECT id, ${today}, 'committed', gen_random_uuid() FROM unnest($1::text[]) AS event (id)`;
  await line.database.query(`SELECT maskline.make_ledger_days(ARRAY[${today}])`);
  // Postgres cancels the session that checks for a deadlock first, so the other session must not check.
  await other.query("SET deadlock_timeout = '1min'");
  const ids = (await line.sendNext(40)).sort();
  await other.query("BEGIN");
  await other.query(insert, [ids.slice(-1)]);
  const worker = line.start({ ...env, STATEMENT_SECONDS: "10" });
  const waiting = `SELECT FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND datname = current_database()`;
  await until(() => line.database.query(waiting), (rows) => rows.length > 0);
  // The batch that waits for the last id has locked some of the other ids.
  await other.query(insert, [ids.slice(0, -1)]);
  await worker.untilErr(/The store is unavailable \(40P01\)/);
  await other.query("ROLLBACK");
  await line.expectDeliveredBy(worker);
  expectLimitedRetries(worker, /40P01/);
});

Deno.test("run retries at a limited rate when another client locks the table and lock_timeout is short", async () => {
  await using line = await createFragileLine({ postgres, queues });
  const { name } = line.database;
  await fromOutside(`ALTER DATABASE ${name} SET lock_timeout = '50ms'`);
  await using other = await openSession(line.database.url);
  await other.query("BEGIN");
  await other.query("LOCK TABLE user_logins IN SHARE MODE");
  const worker = line.start(env);
  await line.sendNext(300);
  await worker.untilErr(/The store is unavailable \(55P03\)/);
  await linger();
  await other.query("ROLLBACK");
  await line.expectDeliveredBy(worker);
  const count = await countFailed(line);
  ok(count >= 2 && count <= 2 * MAX_ATTEMPTS, `${count} transactions failed`);
  expectLimitedRetries(worker, /55P03/);
});

Deno.test("run counts rows as committed, not as duplicates, when the answer to their commit is lost", async () => {
  await using line = await createFragileLine({ postgres, queues });
  await using tcp = startTcpProxy(postgres.port);
  const gate = await createCommitGate(line);
  const url = new URL(line.env["DATABASE_URL"] ?? "");
  url.port = String(tcp.port);
  const worker = line.start({ ...patient, DATABASE_URL: url.href, DATABASE_CONNECTIONS: "1" });
  for (let round = 1; round <= 3; round++) {
    await gate.close();
    await line.sendNext(60);
    await untilCommitting(line);
    tcp.cutAfter(0);
    await gate.open();
    await waitForOutages(worker, round);
    await line.untilDone();
  }
  const { duplicate } = await line.expectDeliveredBy(worker);
  strictEqual(duplicate, 0);
  expectLimitedRetries(worker, /connection_lost|ECONNRESET/, 3);
});
