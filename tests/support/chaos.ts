import { pick, type Random, seededRandom } from "../../lib/local/sample.ts";
import { injectPostgresFaults, queueFaults, Tally } from "./chaos_faults.ts";
import { ChaosWorker } from "./chaos_worker.ts";
import { createLine } from "./line.ts";
import { compareWith, numberedMessages, sentAs } from "./numbered_messages.ts";
import type { PostgresServer } from "./postgres_server.ts";
import { until } from "./progress.ts";
import type { QueueCounts, QueueServer } from "./queue_server.ts";
import { startTcpProxy } from "./tcp_proxy.ts";

/** Options of {@linkcode runChaos}. */
export interface ChaosOptions {
  readonly postgres: PostgresServer;
  readonly queues: QueueServer;
  readonly messages: number;
  readonly kills: number;
  /** Determines the moments and the faults. How the workers react also depends on the machine. */
  readonly seed: number;
  /** Workers at the same time. */
  readonly workers: number;
  /** Inject faults into the connections to the queue and to Postgres too. */
  readonly faults: boolean;
  /** Called after each kill, for a progress line. */
  readonly onKill?: (kill: number) => void;
}

/** What a chaos run did, and its result. */
export interface ChaosFigures {
  readonly messages: number;
  readonly bad: number;
  readonly kills: number;
  /** Workers that were stopped by SIGTERM besides, and had to end with 0 and balanced books. */
  readonly stops: number;
  /** How often each kind of fault was injected, and a worker was killed at each kind of moment. */
  readonly faultKinds: ReadonlyMap<string, number>;
  readonly killKinds: ReadonlyMap<string, number>;
  readonly faults: number;
  readonly lost: number;
  readonly doubled: number;
  readonly seconds: number;
}

/** The longest wait for a call at which to kill. The worker may have nothing left to do. */
const CATCH_MS = 1_500;
/** One in this many kills comes after a stop. */
const ONE_STOP_IN = 5;

/**
 * Kills workers and injects faults until all messages are processed. Then compares the database with them.
 *
 * @throws {Error} a worker ended by itself, did not stop properly, or the queue is not empty in time
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosFigures> {
  const { postgres, queues, messages, kills, seed } = options;
  const startedAt = performance.now();
  const random = seededRandom(seed);
  const ending = new AbortController();
  await using line = await createLine({
    postgres,
    queues,
    queueAttributes: { VisibilityTimeout: "2" },
  });
  await using tcp = startTcpProxy(postgres.port);
  const faultKinds = new Tally();
  const fault = options.faults
    ? queueFaults({
      upstream: queues.endpoint,
      random,
      tally: faultKinds,
      signal: ending.signal,
    })
    : () => undefined;
  await using crew = new AsyncDisposableStack();
  const env = workerEnv(line.env, tcp.port, options);
  const workers = Array.from(
    { length: options.workers },
    () => crew.use(new ChaosWorker({ upstream: queues.endpoint, env, fault })),
  );
  // The last deferred action runs first: delayed calls end before the workers are waited for.
  crew.defer(() => ending.abort());
  const postgresFaults = options.faults ? injectPostgresFaults(tcp, random, faultKinds) : undefined;
  crew.defer(() => postgresFaults?.stop());

  const bodies = numberedMessages(messages);
  const ids: string[] = [];
  const killKinds = new Tally();
  let stops = 0;
  for (let kill = 0; kill < kills; kill++) {
    // A part for each kill, so that there are messages in flight at each of them.
    ids.push(
      ...await line.queue.send(bodies.slice(ids.length, endOfPart(messages, kill + 1, kills))),
    );
    if (random() * ONE_STOP_IN < 1) {
      const worker = pick(random, workers);
      await worker.stop();
      await worker.replace();
      stops++;
    }
    killKinds.add(await killOne(workers, random));
    options.onKill?.(kill + 1);
  }

  postgresFaults?.stop();
  for (const worker of workers) worker.fault = () => undefined;
  ending.abort();
  // This does not wait for a full ledger, because lost messages never get there. The messages that a killed
  // worker had in flight, or could not delete, are redelivered and deleted then.
  const isEmpty = ({ ready, inflight }: QueueCounts) => ready + inflight === 0;
  await until(() => line.queue.inspect(), isEmpty, 180_000);
  for (const worker of workers) await worker.stop();
  const { lost, doubled } = await compareWith(line.database, ids);
  return {
    messages,
    bad: sentAs(ids).bad.length,
    kills,
    stops,
    faultKinds: faultKinds.counts,
    killKinds: killKinds.counts,
    faults: faultKinds.total,
    lost,
    doubled,
    seconds: Math.round((performance.now() - startedAt) / 1000),
  };
}

/** Returns the index of the message at which the first `parts` of `all` parts end. */
function endOfPart(messages: number, parts: number, all: number): number {
  return Math.floor(messages * parts / all);
}

/** Kills a random worker at a random kind of moment, and starts the next in its place. */
async function killOne(workers: readonly ChaosWorker[], random: Random): Promise<string> {
  const worker = pick(random, workers);
  const moments: Record<string, () => Promise<unknown>> = {
    "while it starts": async () => {
      worker.signal("SIGKILL");
      await worker.replace();
      await wait(random() * 900);
    },
    "while it works": () => wait(random() * 900),
    "received, no answer yet": () => worker.catch("ReceiveMessage", true, CATCH_MS),
    "committed, not deleted": () => worker.catch("DeleteMessageBatch", false, CATCH_MS),
    "deleted, no answer yet": () => worker.catch("DeleteMessageBatch", true, CATCH_MS),
    "while it stops": async () => {
      worker.signal("SIGTERM");
      await wait(random() * 300);
    },
  };
  const [moment, reach] = pick(random, Object.entries(moments));
  const isMet = await reach() !== false;
  try {
    worker.signal("SIGKILL");
  } catch (error) {
    // The stop can be complete before the kill.
    if (moment !== "while it stops") throw error;
  }
  await worker.replace();
  return isMet ? moment : "while it works";
}

function workerEnv(
  env: Readonly<Record<string, string>>,
  postgresPort: number,
  { messages, kills, workers }: ChaosOptions,
): Record<string, string> {
  const url = new URL(env["DATABASE_URL"] ?? "");
  url.port = String(postgresPort);
  return {
    ...env,
    DATABASE_URL: url.href,
    STATEMENT_SECONDS: "2",
    STOP_SECONDS: "4",
    // Small batches, so that a kill interrupts many of them.
    BATCH_ROWS: "50",
    BATCH_MILLISECONDS: "50",
    MAX_IN_FLIGHT: "400",
    // A worker needs half a second for its share of a part. Otherwise it would be idle at most kills.
    MAX_MESSAGES_PER_SECOND: String(Math.max(50, Math.ceil(2 * messages / kills / workers))),
  };
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
