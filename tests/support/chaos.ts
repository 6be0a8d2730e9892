import { pick, type Random, seededRandom } from "../../lib/local/sample.ts";
import { mistreat, queueFaults, Tally } from "./chaos_faults.ts";
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
  /** Decides the moments and the faults. What the workers make of them is up to the machine as well. */
  readonly seed: number;
  /** Workers side by side. */
  readonly workers: number;
  /** Mistreat the connections to the queue and to Postgres as well. */
  readonly faults: boolean;
  /** Told of each kill; for a progress line. */
  readonly onKill?: (kill: number) => void;
}

/** What a chaos run did, and what it cost. */
export interface ChaosFigures {
  readonly messages: number;
  readonly bad: number;
  readonly kills: number;
  /** Workers that were stopped by SIGTERM on top, and had to end with 0 and with balanced books. */
  readonly stops: number;
  /** How often each kind of fault was injected, and each moment of a kill was met. */
  readonly faultKinds: ReadonlyMap<string, number>;
  readonly killKinds: ReadonlyMap<string, number>;
  readonly faults: number;
  readonly lost: number;
  readonly doubled: number;
  readonly seconds: number;
}

/** The longest wait for a call at which to kill: there may be nothing left to do. */
const CATCH_MS = 1_500;
/** One kill in so many is a stop besides. */
const ONE_STOP_IN = 5;

/**
 * Kills and mistreats workers at many moments until all is worked off, then compares.
 *
 * @throws {Error} a worker ended by itself or ended a stop badly, or the queue is not empty in time
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
  // First in is last out: calls that are held up end before their workers are waited for.
  crew.defer(() => ending.abort());
  const mistreating = options.faults ? mistreat(tcp, random, faultKinds) : undefined;
  crew.defer(() => mistreating?.stop());

  const bodies = numberedMessages(messages);
  const ids: string[] = [];
  const killKinds = new Tally();
  let stops = 0;
  for (let kill = 0; kill < kills; kill++) {
    // A part for each kill, so that there is work under way at every one of them.
    ids.push(...await line.queue.send(bodies.slice(ids.length, partOf(messages, kill + 1, kills))));
    if (random() * ONE_STOP_IN < 1) {
      const worker = pick(random, workers);
      await worker.stop();
      await worker.replace();
      stops++;
    }
    killKinds.add(await killOne(workers, random));
    options.onKill?.(kill + 1);
  }

  mistreating?.stop();
  for (const worker of workers) worker.fault = () => undefined;
  ending.abort();
  // Not until the ledger is full: what is lost never comes to stand there. What a killed worker held, or
  // could not delete, comes again and goes then.
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

/** Up to which message the first `parts` of `all` parts go. */
function partOf(messages: number, parts: number, all: number): number {
  return Math.floor(messages * parts / all);
}

/** Kills one of the workers at a moment that is chosen by lot, and starts the next in its place. */
async function killOne(workers: readonly ChaosWorker[], random: Random): Promise<string> {
  const worker = pick(random, workers);
  const moments: Record<string, () => Promise<unknown>> = {
    "while it starts": async () => {
      worker.signal("SIGKILL");
      await worker.replace();
      await wait(random() * 900);
    },
    "at work": () => wait(random() * 900),
    "received, not told": () => worker.catch("ReceiveMessage", true, CATCH_MS),
    "committed, not deleted": () => worker.catch("DeleteMessageBatch", false, CATCH_MS),
    "deleted, not told": () => worker.catch("DeleteMessageBatch", true, CATCH_MS),
    "while it stops": async () => {
      worker.signal("SIGTERM");
      await wait(random() * 300);
    },
  };
  const [moment, come] = pick(random, Object.entries(moments));
  const isMet = await come() !== false;
  try {
    worker.signal("SIGKILL");
  } catch (error) {
    // A stop may be quicker than the kill.
    if (moment !== "while it stops") throw error;
  }
  await worker.replace();
  return isMet ? moment : "at work";
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
    // Small batches, so that a kill falls into the midst of many.
    BATCH_ROWS: "50",
    BATCH_MILLISECONDS: "50",
    MAX_IN_FLIGHT: "400",
    // A worker needs half a second for its share of a part: else most kills would find it idle.
    MAX_MESSAGES_PER_SECOND: String(Math.max(50, Math.ceil(2 * messages / kills / workers))),
  };
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
