/**
 * The entry of `deno task run`: the worker on the queue and the database of the settings, or, if neither is set,
 * a demonstration that needs no settings. It is the only file that uses the embedded queue and database, and
 * nothing imports it. So the binary, which starts at `main.ts`, has none of them.
 *
 * @module
 */
import type { Source } from "../config/read_settings.ts";
import { listRejected } from "../custody/rejected.ts";
import { type LocalDatabase, startLocalDatabase } from "../local/database.ts";
import { type LocalQueue, startLocalQueue } from "../local/queue.ts";
import { sampleMessages, sendTraffic } from "../local/sample.ts";
import { startLog } from "../observe/log.ts";
import { type CountersSnapshot, isBalanced } from "../pipeline/counters.ts";
import { withDatabases } from "../worker/databases.ts";
import { readWorkerSettings } from "../worker/settings.ts";
import { openWorker } from "../worker/worker.ts";
import { exit, type Io } from "./command.ts";
import { formatCounters } from "./drain.ts";
import { keygen } from "./keygen.ts";
import { explainFailure, main } from "./main.ts";
import { runProcess } from "./process.ts";
import { formatRejection } from "./rejected.ts";
import { formatTable } from "./terminal/format.ts";

const USAGE = `Usage: deno task run [--stay]

With SQS_QUEUE_URL and DATABASE_URL set: the worker on them (maskline run).
With neither: a demonstration on an embedded queue and Postgres.

  --stay   keep the demonstration running, with traffic, until Ctrl-C
`;

/** Sample messages at the start. */
const SAMPLES = 100;

if (import.meta.main) await runProcess((io) => runTask(Deno.args, io));

/** Runs the task and returns the exit status. */
async function runTask(args: readonly string[], io: Io): Promise<number> {
  if (io.source.get("SQS_QUEUE_URL") || io.source.get("DATABASE_URL")) {
    return await main(["run", ...args], io);
  }
  const [first, ...others] = args;
  if (first === "--help" || first === "-h") {
    io.out(USAGE);
    return exit.done;
  }
  if ((first !== undefined && first !== "--stay") || others.length > 0) {
    io.err(USAGE);
    return exit.wrongUsage;
  }
  return await demonstrate(io, first === "--stay").catch((error) => explainFailure(error, io));
}

/**
 * Shows the whole pipeline on an embedded queue and database, with keys that are not kept.
 *
 * @param stay keep everything running, with traffic, until a signal stops it
 */
async function demonstrate(io: Io, stay: boolean): Promise<number> {
  io.out("Starting a queue and a Postgres in this process …\n");
  const [queue, database] = await Promise.all([startLocalQueue(), startLocalDatabase()]);
  try {
    const source = await createLocalSource(queue, database, stay);
    const inner: Io = { ...io, source, out: () => {} };
    if (await main(["migrate"], inner) !== exit.done) return exit.failed;
    for (const body of sampleMessages({ count: SAMPLES })) await queue.send(body);
    io.out(`  queue     ${queue.url}  (${SAMPLES} sample messages)\n`);
    io.out(`  database  ${database.url}\n\n`);
    if (!stay) return await drainAndShow(source, io, database);
    io.out("Working, with some traffic, until Ctrl-C. The log has the URL of the books\n");
    const traffic = sendTraffic(queue, io.signal);
    const status = await main(["run"], inner);
    await traffic;
    return status;
  } finally {
    await Promise.all([queue.close(), database.close()]);
  }
}

async function drainAndShow(source: Source, io: Io, database: LocalDatabase): Promise<number> {
  await startLog({ level: "error", format: "text", write: io.err });
  const settings = readWorkerSettings(source);
  const worker = await openWorker(settings, { untilEmpty: true, signal: io.signal });
  const startedAt = performance.now();
  let shown = "";
  const progress = setInterval(() => {
    const { received, committed, rejected } = worker.pipeline.counters;
    const line = `  ${received} received, ${committed} committed, ${rejected} rejected\n`;
    // At the end two receives return nothing, and nothing changes meanwhile.
    if (line !== shown) io.out(line);
    shown = line;
  }, 100);
  let counters: CountersSnapshot;
  try {
    counters = await worker.pipeline.run(io.signal);
  } finally {
    clearInterval(progress);
    await worker.close();
  }
  const seconds = (performance.now() - startedAt) / 1000;
  io.out(`\nThe books\n${formatCounters(counters, seconds)}`);
  await showTables(source, io, database);
  return isBalanced(counters) && counters.inFlight === 0 ? exit.done : exit.failed;
}

async function showTables(source: Source, io: Io, local: LocalDatabase): Promise<void> {
  const rows = formatTable(await local.readSampleRows());
  io.out(`\nSome rows of user_logins: no address and no device id is in them\n${rows}`);
  const shared = formatTable(await local.findSharedDevice());
  io.out(`\nTwo users who share a device, found by its mask\n${shared}`);
  await withDatabases(source, { uses: "rows" }, async ({ database }) => {
    const rejections = await listRejected(database, null, 10);
    const lines = rejections.map((row) => `  ${formatRejection(row)}\n`).join("");
    io.out(`\nRejected, with the body sealed\n${lines}`);
  });
}

/** Creates settings for the worker, with keys that are not kept. */
async function createLocalSource(
  queue: LocalQueue,
  database: LocalDatabase,
  stay: boolean,
): Promise<Source> {
  const values = new Map<string, string>([
    ["SQS_QUEUE_URL", queue.url],
    ["DATABASE_URL", database.url],
    ["DATABASE_CONNECTIONS", "1"],
    ["HTTP_ADDRESS", stay ? "127.0.0.1:0" : "off"],
  ]);
  const collect = (text: string) => {
    for (const line of text.trim().split("\n")) {
      const [name = "", value = ""] = line.split(/=(.*)/s);
      // The worker never has the private half, not even here.
      if (name !== "VAULT_PRIVATE_KEY") values.set(name, value);
    }
  };
  const silent = { out: collect, err: () => {} } as unknown as Io;
  await keygen.run(silent, { flags: {}, words: [] });
  // The AWS SDK reads the environment of the process.
  Deno.env.set("AWS_REGION", "us-east-1");
  Deno.env.set("AWS_ENDPOINT_URL_SQS", queue.endpoint);
  Deno.env.set("AWS_ACCESS_KEY_ID", "local");
  Deno.env.set("AWS_SECRET_ACCESS_KEY", "local");
  return {
    get: (name) => values.get(name),
    readFile: () => {
      throw new TypeError("The demonstration reads no setting from a file");
    },
    othersMayRead: () => false,
    names: () => [],
  };
}
