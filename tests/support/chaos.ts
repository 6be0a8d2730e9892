import { pick, type Random, seeded } from "../../lib/local/random.ts";
import { createLine, type Line } from "./line.ts";
import { type MasklineProcess, startMaskline } from "./maskline.ts";
import type { PostgresServer } from "./postgres_server.ts";
import { until } from "./progress.ts";
import type { QueueServer } from "./queue_server.ts";
import { failEntries, type Fault, sqsError, type SqsProxy, startSqsProxy } from "./sqs_proxy.ts";
import { startTcpProxy, type TcpProxy } from "./tcp_proxy.ts";

/** Options of {@linkcode runChaos}. */
export interface ChaosOptions {
  readonly postgres: PostgresServer;
  readonly queues: QueueServer;
  readonly messages: number;
  readonly kills: number;
  /** Decides the messages, the moments and the faults. */
  readonly seed: number;
  /** Workers side by side. */
  readonly workers: number;
  /** Mistreat the connections to the queue and to Postgres as well. */
  readonly faults: boolean;
}

/** What a chaos run did, and what it cost. */
export interface ChaosFigures {
  readonly messages: number;
  readonly bad: number;
  readonly kills: number;
  readonly faults: number;
  readonly lost: number;
  readonly doubled: number;
  readonly seconds: number;
}

/** One message in fifty is no event. */
const BAD_EVERY = 50;

/** Kills and mistreats workers at many moments until all is worked off, then counts. */
export async function runChaos(options: ChaosOptions): Promise<ChaosFigures> {
  const { postgres, queues, messages, kills, seed, faults } = options;
  const startedAt = performance.now();
  const random = seeded(seed);
  await using line = await createLine({
    postgres,
    queues,
    queueAttributes: { VisibilityTimeout: "2" },
  });
  await using sqs = startSqsProxy(queues.endpoint);
  await using tcp = startTcpProxy(postgres.port);
  const bodies = chaosMessages(messages);
  const injected = { count: 0 };
  if (faults) sqs.fault = queueFaults(random, injected);
  const env = workerEnv(line, sqs, tcp);
  const workers: MasklineProcess[] = Array.from({ length: options.workers }, () => start(env));
  const mistreating = faults ? mistreat(tcp, random, injected) : undefined;
  for (let kill = 0; kill < kills; kill++) {
    // A part for each kill, so that there is work under way at every one of them.
    const part = (count: number) => Math.floor(messages * count / kills);
    await line.queue.send(bodies.slice(part(kill), part(kill + 1)));
    await wait(100 + random() * 800);
    const victim = Math.floor(random() * workers.length);
    workers[victim]?.kill("SIGKILL");
    await workers[victim]?.ended;
    workers[victim] = start(env);
  }
  mistreating?.stop();
  sqs.fault = () => undefined;
  await until(() => line.count(), ({ ledger }) => ledger >= messages, 180_000);
  await endAll(workers);
  const { lost, doubled } = await compare(line, messages);
  return {
    messages,
    bad: Math.floor(messages / BAD_EVERY),
    kills,
    faults: injected.count + tcp.cuts,
    lost,
    doubled,
    seconds: Math.round((performance.now() - startedAt) / 1000),
  };
}

/** Each event has a user of its own, so that a row can be told from a doubled one. */
function chaosMessages(count: number): string[] {
  return Array.from(
    { length: count },
    (_, index) =>
      index % BAD_EVERY === BAD_EVERY - 1
        ? JSON.stringify({ foo: `bad-${index}` })
        : JSON.stringify({
          user_id: `user-${index}`,
          device_type: "android",
          ip: `198.51.${index >> 8 & 255}.${index & 255}`,
          device_id: `device-${index % 977}`,
          locale: null,
          app_version: "1.2.3",
        }),
  );
}

function workerEnv(line: Line, sqs: SqsProxy, tcp: TcpProxy): Record<string, string> {
  const url = new URL(line.database.url);
  url.port = String(tcp.port);
  return {
    ...line.env,
    DATABASE_URL: url.href,
    AWS_ENDPOINT_URL_SQS: sqs.endpoint,
    STATEMENT_SECONDS: "2",
    STOP_SECONDS: "10",
    // Small batches, so that a kill falls into the midst of many.
    BATCH_ROWS: "100",
    BATCH_MILLISECONDS: "50",
    MAX_IN_FLIGHT: "400",
  };
}

function start(env: Record<string, string>): MasklineProcess {
  return startMaskline(["run"], { env });
}

async function endAll(workers: readonly MasklineProcess[]): Promise<void> {
  for (const worker of workers) worker.kill("SIGTERM");
  for (const { ended } of workers) {
    const { code, err } = await ended;
    if (code !== 0) throw new Error(`A worker ended with ${code}:\n${err}`);
  }
}

/** Duplicate deliveries, failing and half failing calls, throttling: one call in six. */
function queueFaults(random: Random, injected: { count: number }): Fault {
  return async (request) => {
    if (random() > 1 / 6) return undefined;
    injected.count++;
    switch (request.action) {
      case "ReceiveMessage":
        return pick(random, [
          () => sqsError(503, "ServiceUnavailable"),
          () => sqsError(400, "ThrottlingException"),
          // The queue did its part, but the answer is lost: the messages come when their lease is over.
          async () => {
            await (await request.forward()).body?.cancel();
            return sqsError(500, "InternalFailure");
          },
        ])();
      case "DeleteMessageBatch":
        return pick(random, [
          () => failEntries(request),
          () => sqsError(500, "InternalFailure"),
          // Deleted, but nobody learns of it.
          async () => {
            await (await request.forward()).body?.cancel();
            return failEntries(request);
          },
        ])();
      case "ChangeMessageVisibilityBatch":
        return failEntries(request);
      default:
        return undefined;
    }
  };
}

/** Cuts, cuts in the midst of an answer, delays and black-holes the connections to Postgres. */
function mistreat(tcp: TcpProxy, random: Random, injected: { count: number }): { stop(): void } {
  const act = () => {
    injected.count++;
    tcp.blackHole = false;
    tcp.delay = 0;
    pick(random, [
      () => tcp.cut(),
      () => tcp.cutAfter(Math.floor(random() * 400)),
      () => void (tcp.delay = 150),
      () => void (tcp.blackHole = true),
    ])();
  };
  const timer = setInterval(act, 900);
  return {
    stop() {
      clearInterval(timer);
      tcp.blackHole = false;
      tcp.delay = 0;
      // What was swallowed is waited for in vain.
      tcp.cut();
    },
  };
}

async function compare(line: Line, messages: number): Promise<{ lost: number; doubled: number }> {
  const [found] = await line.database.query<Record<string, string>>(
    `SELECT count(*) AS rows, count(DISTINCT user_id) AS users,
      (SELECT count(*) FROM maskline.rejected) AS rejected FROM user_logins`,
  );
  const rows = Number(found?.["rows"]);
  const users = Number(found?.["users"]);
  const rejected = Number(found?.["rejected"]);
  const bad = Math.floor(messages / BAD_EVERY);
  // A message id is the primary key of a rejection, so more of them than bad messages are doubled.
  return {
    lost: Math.max(0, messages - bad - users) + Math.max(0, bad - rejected),
    doubled: rows - users + Math.max(0, rejected - bad),
  };
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
