import type { Source } from "../config/read_settings.ts";
import { type LocalDatabase, startLocalDatabase } from "../local/database.ts";
import { type LocalQueue, startLocalQueue } from "../local/queue.ts";
import { sampleMessages, sendTraffic } from "../local/sample.ts";
import { startLog } from "../observe/log.ts";
import { type CountersSnapshot, isBalanced } from "../pipeline/counters.ts";
import { type Database, openDatabase } from "../store/postgres/database.ts";
import { type ListedRejection, listRejected } from "../store/postgres/sql/rejected.ts";
import { workerSettings } from "../worker/settings.ts";
import { openWorker } from "../worker/worker.ts";
import { exit, type Io } from "./command.ts";
import { formatCounters } from "./drain.ts";
import { keygen } from "./keygen.ts";
import { explainFailure, main } from "./main.ts";
import { processIo } from "./process_io.ts";
import { formatRejection } from "./rejected_list.ts";
import { formatTable } from "./terminal/format.ts";

/** Options of {@linkcode demonstrate}. */
export interface DemoOptions {
  /** Messages to begin with. Default 100. */
  readonly messages?: number;
  /** Keep everything up, with traffic, until told to stop. */
  readonly stay?: boolean;
}

/** Shows the whole line on an embedded queue and database, with throw-away keys. */
export async function demonstrate(
  io: Io,
  { messages = 100, stay = false }: DemoOptions,
): Promise<number> {
  io.out("Starting a queue and a Postgres in this process …\n");
  const [queue, local] = await Promise.all([startLocalQueue(), startLocalDatabase()]);
  try {
    const source = await localSource(queue, local, stay);
    const inner: Io = { ...io, source, out: () => {} };
    if (await main(["migrate"], inner) !== exit.done) return exit.failed;
    for (const body of sampleMessages({ count: messages })) await queue.send(body);
    io.out(`  queue     ${queue.url}  (${messages} sample messages)\n  database  ${local.url}\n\n`);
    return stay ? await stayUp(inner, io, queue) : await drainAndShow(inner, io, local);
  } finally {
    await Promise.all([queue.close(), local.close()]);
  }
}

async function drainAndShow(inner: Io, io: Io, local: LocalDatabase): Promise<number> {
  await startLog({ level: "error", format: "text", write: io.err });
  const worker = await openWorker(workerSettings(inner), { untilEmpty: true, signal: io.signal });
  const startedAt = performance.now();
  let shown = "";
  const progress = setInterval(() => {
    const { received, committed, rejected } = worker.pipeline.counters;
    const line = `  ${received} received, ${committed} committed, ${rejected} rejected\n`;
    // The end is two polls that bring nothing; there is nothing to tell meanwhile.
    if (line !== shown) io.out(line);
    shown = line;
  }, 100);
  let books: CountersSnapshot;
  try {
    books = await worker.pipeline.run(io.signal);
  } finally {
    clearInterval(progress);
    await worker.close();
  }
  io.out(`\nThe books\n${formatCounters(books, (performance.now() - startedAt) / 1000)}`);
  const database = openDatabase({ url: new URL(local.url), connections: 1, statementSeconds: 15 });
  try {
    await show(database, io);
  } finally {
    await database.close();
  }
  return isBalanced(books) && books.inFlight === 0 ? exit.done : exit.failed;
}

async function show(database: Database, io: Io): Promise<void> {
  const rows = await database.query<Record<string, unknown>>({
    text:
      `SELECT left(user_id, 8) || '…' AS user_id, device_type, left(masked_ip, 15) || '…' AS masked_ip,
      left(masked_device_id, 15) || '…' AS masked_device_id, locale, app_version, create_date::text
      FROM public.user_logins LIMIT 5`,
  });
  io.out(
    `\nSome rows of user_logins: no address and no device id is in them\n${formatTable(rows)}`,
  );
  const shared = await database.query<Record<string, unknown>>({
    text: `SELECT left(masked_device_id, 15) || '…' AS masked_device_id,
      string_agg(DISTINCT left(user_id, 8) || '…', ', ') AS users
      FROM public.user_logins GROUP BY user_logins.masked_device_id
      HAVING count(DISTINCT user_id) = 2 ORDER BY 1 LIMIT 1`,
  });
  io.out(`\nTwo users who share a device, found by its mask\n${formatTable(shared)}`);
  const rejected = await database.query<ListedRejection>(listRejected, [null, 10]);
  io.out(
    `\nSet aside, with the body sealed\n${
      rejected.map((row) => `  ${formatRejection(row)}`).join("")
    }`,
  );
}

async function stayUp(inner: Io, io: Io, queue: LocalQueue): Promise<number> {
  io.out("Working, with some traffic, until Ctrl-C. The log says where the books are\n");
  const traffic = sendTraffic(queue, io.signal);
  const status = await main(["run"], inner);
  await traffic;
  return status;
}

/** Settings for the worker, with keys that nobody keeps. */
async function localSource(
  queue: LocalQueue,
  local: LocalDatabase,
  stay: boolean,
): Promise<Source> {
  const values = new Map<string, string>([
    ["SQS_QUEUE_URL", queue.url],
    ["DATABASE_URL", local.url],
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
  // The AWS SDK reads the environment of the process itself.
  Deno.env.set("AWS_REGION", "us-east-1");
  Deno.env.set("AWS_ENDPOINT_URL_SQS", queue.endpoint);
  Deno.env.set("AWS_ACCESS_KEY_ID", "local");
  Deno.env.set("AWS_SECRET_ACCESS_KEY", "local");
  return {
    get: (name) => values.get(name),
    readFile: () => {
      throw new RangeError("No setting of the demonstration comes from a file");
    },
    othersMayRead: () => false,
    names: () => [],
  };
}

/**
 * `deno task run`: the worker on the queue and the database of the settings; with neither set, a
 * demonstration that needs nothing. This is the only way to the embedded parts; the binary has none.
 *
 * @module
 */

const USAGE = `Usage: deno task run [--stay]

With SQS_QUEUE_URL and DATABASE_URL set: the worker on them (maskline run).
With neither: a demonstration on an embedded queue and Postgres.

  --stay   keep the demonstration up, with traffic, until Ctrl-C
`;

const io = processIo();
const [first, ...rest] = Deno.args;
if (io.source.get("SQS_QUEUE_URL") || io.source.get("DATABASE_URL")) {
  Deno.exit(await main(["run", ...Deno.args], io));
} else if (first === "--help" || first === "-h") {
  io.out(USAGE);
  Deno.exit(exit.done);
} else if ((first !== undefined && first !== "--stay") || rest.length > 0) {
  io.err(USAGE);
  Deno.exit(exit.wrongUsage);
} else {
  const status = demonstrate(io, { stay: first === "--stay" });
  Deno.exit(await status.catch((error) => explainFailure(error, io)));
}
