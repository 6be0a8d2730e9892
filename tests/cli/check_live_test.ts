import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { sampleMessages } from "../../lib/local/sample.ts";
import { freePort } from "../support/free_port.ts";
import { createLine, type Line } from "../support/line.ts";
import { runMaskline } from "../support/maskline.ts";
import { startQueueServer } from "../support/queue_server.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";
import { createMigratedDatabase } from "../support/template.ts";

const postgres = await sharedPostgres();
const queues = await startQueueServer();

/** Creates a queue with a redrive policy and a migrated database: nothing to warn about. */
async function fineLine(): Promise<Line> {
  const dlq = await queues.createQueue(undefined, { MessageRetentionPeriod: "1209600" });
  return await createLine({
    postgres,
    queues,
    queueAttributes: {
      VisibilityTimeout: "60",
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dlq.arn, maxReceiveCount: 5 }),
    },
  });
}

async function check(
  line: Line,
  env: Readonly<Record<string, string>> = {},
  flag?: string,
): Promise<{ code: number; lines: string[]; err: string }> {
  const { code, out, err } = await runMaskline(["check", ...(flag ? [flag] : [])], {
    env: { ...line.env, ...env },
  });
  // The mask key is in the environment here, so every check warns about it.
  const lines = out.trimEnd().split("\n").filter((text) => !text.startsWith("warn  MASK_KEY:"));
  return { code, lines, err };
}

const EMPTY = "warn  about 0 messages wait, 0 are in flight and 0 are delayed";

Deno.test("check prints ok for each part, and receives and writes nothing, when all is well", async () => {
  await using line = await fineLine();
  await line.queue.send(sampleMessages({ count: 10 }));
  deepStrictEqual(await check(line), {
    code: 0,
    lines: [
      "ok    settings",
      "ok    queue",
      "warn  about 10 messages wait, 0 are in flight and 0 are delayed",
      "ok    database and schema",
      "ok    database is writable",
      "ok    privileges",
    ],
    err: "",
  });
  deepStrictEqual(await line.queue.inspect(), { ready: 10, inflight: 0, delayed: 0 });
  deepStrictEqual(await line.count(), { rows: 0, rejected: 0, ledger: 0 });
});

Deno.test("check warns about the queue's attributes when they cause trouble later", async () => {
  await using line = await createLine({
    postgres,
    queues,
    queueAttributes: { VisibilityTimeout: "5" },
  });
  const { code, lines } = await check(line);
  strictEqual(code, 0);
  const warnings = lines.filter((text) => text.startsWith("warn"));
  deepStrictEqual(warnings.length, 3);
  match(warnings[1] ?? "", /has no redrive policy/);
  match(warnings[2] ?? "", /visibility timeout is 5 s/);
});

Deno.test("check warns about the dead-letter queue when it keeps messages no longer than the queue", async () => {
  const dlq = await queues.createQueue();
  await using line = await createLine({
    postgres,
    queues,
    queueAttributes: {
      VisibilityTimeout: "60",
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dlq.arn, maxReceiveCount: 5 }),
    },
  });
  const { code, lines } = await check(line);
  strictEqual(code, 0);
  ok(lines.some((text) => /^warn {2}The dead-letter queue keeps messages for 345600 s/.test(text)));
});

Deno.test("check continues with the database when the queue is missing", async () => {
  await using line = await fineLine();
  const { code, lines, err } = await check(line, { SQS_QUEUE_URL: `${line.queue.url}-not` });
  deepStrictEqual([code, err], [1, ""]);
  match(
    lines[1] ?? "",
    /^FAIL {2}queue: Could not read the queue's attributes: .*(NonExistent|DoesNotExist)/,
  );
  deepStrictEqual(lines.slice(2), [
    "ok    database and schema",
    "ok    database is writable",
    "ok    privileges",
  ]);
});

Deno.test("check reports a failure of the queue when no server listens there", async () => {
  await using line = await fineLine();
  const endpoint = `http://127.0.0.1:${freePort()}`;
  const { code, lines } = await check(line, {
    SQS_QUEUE_URL: `${endpoint}/1/q`,
    AWS_ENDPOINT_URL_SQS: endpoint,
  });
  strictEqual(code, 1);
  strictEqual(lines[1], "FAIL  queue: Could not read the queue's attributes: ECONNREFUSED");
});

Deno.test("check stops at the database when it is missing", async () => {
  await using line = await fineLine();
  const { code, lines, err } = await check(line, { DATABASE_URL: `${line.database.url}_not` });
  deepStrictEqual([code, err], [1, ""]);
  deepStrictEqual(lines.slice(0, 3), ["ok    settings", "ok    queue", EMPTY]);
  match(lines[3] ?? "", /^FAIL {2}database and schema: .*3D000: database ".*_not" does not exist/);
  strictEqual(lines.length, 4);
});

Deno.test("check fails the database, and goes on with the vault's, when the URL has a wrong parameter", async () => {
  await using line = await fineLine();
  await using vault = await createMigratedDatabase(postgres);
  const { code, lines, err } = await check(line, {
    DATABASE_URL: `${line.database.url}?sslmode=prefer`,
    VAULT_DATABASE_URL: vault.url,
  });
  deepStrictEqual([code, err], [1, ""]);
  match(
    lines.find((text) => text.startsWith("FAIL")) ?? "",
    /^FAIL {2}database and schema: DATABASE_URL: .*sslmode/,
  );
  ok(lines.includes("ok    the vault's own database"), lines.join("\n"));
});

Deno.test("check reports a failure of the database when no server listens there", async () => {
  await using line = await fineLine();
  const url = new URL(line.database.url);
  url.port = String(freePort());
  const { code, lines } = await check(line, { DATABASE_URL: url.href });
  strictEqual(code, 1);
  strictEqual(lines.at(-1), "FAIL  database and schema: Postgres did not answer: ECONNREFUSED");
});

Deno.test("check reports that `maskline migrate` is needed when the tables do not exist", async () => {
  await using line = await createLine({ postgres, queues, unmigrated: true });
  const { code, lines } = await check(line);
  strictEqual(code, 1);
  strictEqual(
    lines.at(-1),
    "FAIL  database and schema: Maskline's tables do not exist; run `maskline migrate`",
  );
});

Deno.test("check reports a failure when the database is read-only", async () => {
  await using line = await fineLine();
  await line.database.query(
    `ALTER DATABASE "${line.database.name}" SET default_transaction_read_only = on`,
  );
  const { code, lines } = await check(line);
  strictEqual(code, 1);
  strictEqual(lines.at(-1), "FAIL  database is writable: Postgres refused with SQLSTATE 25006");
});

Deno.test("check names the missing privileges, and those of event ids when DEDUPE_FIELD is set", async () => {
  await using line = await fineLine();
  const role = `reader_${crypto.randomUUID().slice(0, 8)}`;
  await line.database.query(`CREATE ROLE ${role} LOGIN`);
  await line.database.query(`GRANT USAGE ON SCHEMA maskline TO ${role}`);
  await line.database.query(
    `GRANT SELECT ON maskline.migrations, maskline.ledger TO ${role}`,
  );
  const url = new URL(line.database.url);
  url.username = role;
  const env = { DATABASE_URL: url.href };
  const missing = 'FAIL  privileges: The role lacks INSERT on "public"."user_logins", ' +
    "INSERT on maskline.ledger, INSERT on maskline.rejected";
  const vault = "INSERT on maskline.vault, SELECT (field) on maskline.vault, " +
    "SELECT (mask) on maskline.vault, SELECT (last_seen) on maskline.vault, " +
    "UPDATE (last_seen) on maskline.vault";
  const last = "EXECUTE on maskline.make_ledger_days; " +
    "`maskline migrate --print-grants` prints a role that has them";
  const plain = await check(line, env);
  deepStrictEqual([plain.code, plain.lines.at(-1)], [1, `${missing}, ${vault}, ${last}`]);
  const keyed = await check(line, { ...env, DEDUPE_FIELD: "event_id" });
  strictEqual(
    keyed.lines.at(-1),
    `${missing}, INSERT on maskline.dedupe, SELECT on maskline.dedupe, ${vault}, ${last}`,
  );
  const elsewhere = await check(line, { ...env, VAULT_DATABASE_URL: line.database.url });
  ok(elsewhere.lines.includes(`${missing}, ${last}`));
  ok(elsewhere.lines.includes("ok    the vault's own database"));
  await line.database.query(`DROP OWNED BY ${role}`);
  await line.database.query(`DROP ROLE ${role}`);
});

/** Returns the warnings below `ok    privileges`. */
async function excess(line: Line, env: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const { code, lines } = await check(line, env);
  strictEqual(code, 0, lines.join("\n"));
  return lines.slice(lines.indexOf("ok    privileges") + 1);
}

const WAY_OUT = "`maskline migrate --print-grants` prints a role that may not";

Deno.test("check warns and succeeds when the role has privileges that a worker does not need", async () => {
  await using line = await fineLine();
  deepStrictEqual(await excess(line), []);
  await line.database.query("GRANT SELECT (user_id) ON user_logins TO maskline_writer");
  await line.database.query("GRANT SELECT ON maskline.vault TO maskline_writer");
  deepStrictEqual(await excess(line), [
    "warn  the role may also read what is sealed in maskline.vault; " +
    `read the rows; ${WAY_OUT}`,
  ]);
});

Deno.test("check warns when the role owns the tables or is a superuser", async () => {
  await using line = await fineLine();
  deepStrictEqual(await excess(line, line.ownerEnv), [
    `warn  the role may also do anything, being a superuser; ${WAY_OUT}`,
  ]);
  await line.database.query(
    `ALTER TABLE maskline.vault OWNER TO ${new URL(line.env["DATABASE_URL"] ?? "").username}`,
  );
  deepStrictEqual(await excess(line), [
    "warn  the role may also change the tables, being their owner; " +
    `read what is sealed in maskline.vault; change what is sealed in maskline.vault; ${WAY_OUT}`,
  ]);
  await line.database.query("ALTER TABLE maskline.vault OWNER TO CURRENT_USER");
});

Deno.test("check checks the vault's own database when VAULT_DATABASE_URL is set", async () => {
  await using line = await fineLine();
  await using apart = await postgres.createDatabase("vault");
  const env = { VAULT_DATABASE_URL: apart.url };
  const before = await check(line, env);
  strictEqual(before.code, 1);
  match(before.lines.at(-1) ?? "", /^FAIL {2}the vault's own database: .*run `maskline migrate`$/);
  const migrated = await runMaskline(["migrate"], { env: { ...line.ownerEnv, ...env } });
  deepStrictEqual([migrated.code, migrated.err], [0, ""]);
  const after = await check(line, env);
  deepStrictEqual([after.code, after.lines.at(-2)], [0, "ok    the vault's own database"]);
  match(after.lines.at(-1) ?? "", /^warn {2}the role may also do anything, being a superuser;/);
});
