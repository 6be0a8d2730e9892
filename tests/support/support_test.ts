import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { deepStrictEqual, match, notStrictEqual, ok, rejects, strictEqual } from "node:assert";
import { basename, dirname } from "node:path";
import { embeddedPostgresBinaries } from "./postgres_binaries.ts";
import { startPostgres } from "./postgres_server.ts";
import { childrenOf } from "./process_tree.ts";
import { startQueueProcess } from "./queue_process.ts";
import { type QueueServer, startQueueServer } from "./queue_server.ts";
import { sharedPostgres } from "./shared_postgres.ts";
import { createTestDatabase } from "./test_database.ts";
import { addCounts, formatCounts, readSummary } from "./test_summary.ts";

const server = await sharedPostgres();

// Deno's sanitizers are off by default. Here they prove that the helpers leave nothing open.
const sanitized = { sanitizeOps: true, sanitizeResources: true };

Deno.test({
  name: "sharedPostgres() separates two databases when both have the same table",
  ...sanitized,
  async fn() {
    await using one = await server.createDatabase();
    await using two = await server.createDatabase();
    await one.query("CREATE TABLE t AS SELECT $1::text AS name", ["one"]);
    await two.query("CREATE TABLE t AS SELECT $1::text AS name", ["two"]);
    deepStrictEqual(await one.query<{ name: string }>("SELECT name FROM t"), [{ name: "one" }]);
    deepStrictEqual(await two.query<{ name: string }>("SELECT name FROM t"), [{ name: "two" }]);
  },
});

Deno.test("createDatabase() removes the database when it is disposed of", async () => {
  const database = await server.createDatabase("disposed");
  match(database.name, /^disposed_/);
  await database[Symbol.asyncDispose]();
  await rejects(() => database.query("SELECT 1"), { code: "3D000" });
});

Deno.test({
  name: "startPostgres() keeps port and data when it stops and starts again",
  ...sanitized,
  async fn() {
    await using own = await startPostgres({ settings: { work_mem: "5MB" } });
    const { pid, port } = own;
    const database = await own.createDatabase();
    await database.query("CREATE TABLE kept AS SELECT 7 AS number");

    await own.stop();
    strictEqual(own.pid, undefined);
    await rejects(() => database.query("SELECT 1"), { code: "ECONNREFUSED" });
    await own.start();

    strictEqual(own.port, port);
    notStrictEqual(own.pid, pid);
    deepStrictEqual(await database.query("SELECT number FROM kept"), [{ number: 7 }]);
    deepStrictEqual(await database.query("SHOW work_mem"), [{ work_mem: "5MB" }]);
    await own.stop("immediate");
    await own.start();
    deepStrictEqual(await database.query("SELECT number FROM kept"), [{ number: 7 }]);
  },
});

Deno.test({
  name: "startPostgres() answers only after resume() when it is paused",
  // The state of a process is read from /proc.
  ignore: Deno.build.os !== "linux",
  ...sanitized,
  async fn() {
    await using own = await startPostgres();
    const database = await own.createDatabase();
    const pid = own.pid ?? 0;
    await own.pause();
    const frozen = [pid, ...await childrenOf(pid)];
    ok(frozen.length > 3, `Too few processes: ${frozen}`);
    for (const id of frozen) await stateOf(id, "TZ");
    const query = database.query("SELECT 1 AS number");
    await own.resume();
    deepStrictEqual(await query, [{ number: 1 }]);
    // A frozen server must be closable too.
    await own.pause();
  },
});

Deno.test({
  name: "startPostgres() ends and removes its data when its process is killed",
  ignore: Deno.build.os === "windows",
  ...sanitized,
  async fn() {
    const code = `import { startPostgres } from "${import.meta.resolve("./postgres_server.ts")}";
      const server = await startPostgres();
      await Deno.stdout.write(new TextEncoder().encode(server.url));
      setInterval(() => {}, 1e6);`;
    await using child = new Deno.Command(Deno.execPath(), {
      args: ["eval", "--quiet", code],
      cwd: new URL(".", import.meta.url),
      stdout: "piped",
    }).spawn();
    const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const { value: url = "" } = await output.read();
    const database = await createTestDatabase(url);
    const [row] = await database.query<{ data_directory: string }>("SHOW data_directory");
    const directory = dirname(row?.data_directory ?? "");
    const watcher = Deno.watchFs(dirname(directory), { recursive: false });

    child.kill("SIGKILL");

    for await (const { kind, paths } of watcher) {
      if (kind === "remove" && paths.some((path) => basename(path) === basename(directory))) break;
    }
    await output.cancel();
    await rejects(() => database.query("SELECT 1"), { code: "ECONNREFUSED" });
  },
});

Deno.test("startPostgres() throws with the log when the server does not start", async () => {
  await rejects(
    () => startPostgres({ settings: { no_such_setting: "1" } }),
    /did not start[^]*unrecognized configuration parameter "no_such_setting"/,
  );
});

Deno.test({
  name: "embeddedPostgresBinaries() returns a working Postgres when none is installed",
  ignore: Deno.env.get("MASKLINE_TEST_EMBEDDED_POSTGRES") !== "1",
  async fn() {
    await using own = await startPostgres({ binaries: await embeddedPostgresBinaries() });
    await using database = await own.createDatabase();
    const [row] = await database.query<{ version: string }>("SELECT version()");
    match(row?.version ?? "", /^PostgreSQL 18/);
  },
});

Deno.test({
  name: "startQueueServer() works with the AWS SDK when addressed by 127.0.0.1",
  ...sanitized,
  async fn() {
    await using queues = await startQueueServer();
    await roundTrip(queues);
  },
});

Deno.test({
  name: "startQueueServer() refuses connections when they do not use the loopback address",
  async fn() {
    await using queues = await startQueueServer();
    const port = Number(new URL(queues.endpoint).port);
    const outer = Deno.networkInterfaces()
      .find(({ family, address }) => family === "IPv4" && !address.startsWith("127."));
    if (!outer) return; // There is no other address.
    await rejects(
      () => Deno.connect({ hostname: outer.address, port }),
      Deno.errors.ConnectionRefused,
    );
  },
});

Deno.test({
  name: "startQueueProcess() works with the AWS SDK when it runs in another process",
  ...sanitized,
  async fn() {
    await using queues = await startQueueProcess();
    await roundTrip(queues);
    await queues.close();
    await rejects(() => fetch(queues.endpoint), TypeError);
  },
});

Deno.test("send() splits the bodies into several requests when they are many or large", async () => {
  await using queues = await startQueueServer();
  const queue = await queues.createQueue("named", { DelaySeconds: "900" });
  strictEqual(queue.url, `${queues.endpoint}/000000000000/named`);
  const ids = await queue.send([
    ...Array.from({ length: 23 }, (_, i) => `${i}`),
    ...Array.from({ length: 3 }, () => "x".repeat(600_000)),
  ]);
  strictEqual(new Set(ids).size, 26);
  deepStrictEqual(await queue.inspect(), { ready: 0, inflight: 0, delayed: 26 });
  await rejects(() => queue.send(["fine", "\u0000"]), /refused 1 of 2 messages/);
});

Deno.test("readSummary() reads the last summary when tests print another and colors are on", () => {
  deepStrictEqual(
    readSummary(
      "ok | 1 passed | 0 failed (1ms)\n\u001b[31mFAILED\u001b[0m | 12 passed (2 steps) | 3 failed (4s)\n",
    ),
    { passed: 12, failed: 3, skipped: 0 },
  );
  deepStrictEqual(
    readSummary("ok | 2 passed | 0 failed | 1 ignored (3s)"),
    { passed: 2, failed: 0, skipped: 1 },
  );
  strictEqual(readSummary("error: Type checking failed"), undefined);
});

Deno.test("formatCounts() includes the number of skipped tests when there are any", () => {
  const [one, other] = [{ passed: 2, failed: 0, skipped: 0 }, { passed: 3, failed: 1, skipped: 4 }];
  strictEqual(formatCounts(one), "2 passed, 0 failed");
  strictEqual(formatCounts(addCounts(one, other) ?? one), "5 passed, 1 failed, 4 skipped");
  deepStrictEqual(addCounts(undefined, other), other);
  deepStrictEqual(addCounts(one, undefined), one);
});

/** Waits until a process is in one of the states. The kernel can take a moment to stop a process. */
async function stateOf(pid: number, states: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (let state = ""; !state || !states.includes(state);) {
    ok(Date.now() < deadline, `Process ${pid}: expected one of the states ${states}, got ${state}`);
    state = / ([A-Z]) /.exec(await Deno.readTextFile(`/proc/${pid}/stat`))?.[1] ?? "";
  }
}

async function roundTrip(queues: QueueServer): Promise<void> {
  const queue = await queues.createQueue();
  const bodies = Array.from({ length: 11 }, (_, index) => `body ${index}`);
  const ids = await queue.send(bodies);
  const client = new SQSClient({
    endpoint: queues.endpoint,
    region: "eu-central-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  try {
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({ QueueUrl: queue.url, MaxNumberOfMessages: 10 }),
    );
    deepStrictEqual(Messages.map(({ Body }) => Body), bodies.slice(0, 10));
    deepStrictEqual(Messages.map(({ MessageId }) => MessageId), ids.slice(0, 10));
    deepStrictEqual(await queue.inspect(), { ready: 1, inflight: 10, delayed: 0 });
    const [first] = Messages;
    ok(first?.ReceiptHandle);
    await client.send(
      new DeleteMessageCommand({ QueueUrl: queue.url, ReceiptHandle: first.ReceiptHandle }),
    );
    deepStrictEqual(await queue.inspect(), { ready: 1, inflight: 9, delayed: 0 });
    const { Attributes } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl: queue.url, AttributeNames: ["QueueArn"] }),
    );
    strictEqual(Attributes?.QueueArn, queue.arn);
  } finally {
    client.destroy();
  }
}
