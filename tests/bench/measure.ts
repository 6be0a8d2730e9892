import type { PostgresServer } from "../support/postgres_server.ts";
import type { TestDatabase } from "../support/test_database.ts";
import { type Contestant, type Course, type Running, startContestant } from "./contestant.ts";
import { cpuOf, cpuOfTree, peakMemoryOf } from "./process_cost.ts";
import type { HostedQueue, QueueHost, QueueState } from "./queue_host.ts";
import { createTables } from "./tables.ts";
import { countLedger, verifyRows, verifyVault } from "./verify.ts";

/** The services that all contestants use. */
export interface Ground {
  readonly postgres: PostgresServer;
  readonly queues: QueueHost;
  /** Share of messages that repeat earlier personal values, in percent. */
  readonly repeats: number;
}

/** The total cost of one run. */
export interface Figures {
  readonly messages: number;
  /** From the first receive that reached the queue to the last delete that it answered. */
  readonly seconds: number;
  /** CPU of the worker from its start until the queue was empty. */
  readonly workerMs: number;
  /** CPU of all processes of Postgres in the same time. */
  readonly postgresMs: number;
  readonly peakMiB: number;
  readonly calls: Readonly<Record<string, number>>;
}

/** The cost of a start, until the first receive reaches an empty queue. */
export interface StartUp {
  readonly workerMs: number;
  readonly milliseconds: number;
}

const POLL_MS = 50;

/** Measures a contestant that drains a full queue. @throws {Error} it failed, or did not store every row */
export async function measure(
  contestant: Contestant,
  ground: Ground,
  messages: number,
  database?: TestDatabase,
): Promise<Figures> {
  if (!database) {
    await using fresh = await ground.postgres.createDatabase("bench");
    await createTables(fresh.url, contestant.schema);
    return await measure(contestant, ground, messages, fresh);
  }
  const tag = tagOf();
  const queue = await ground.queues.fill({
    name: `full-${tag}`,
    count: messages,
    tag,
    repeats: ground.repeats,
  });
  try {
    const ledger = await countLedger(database, contestant.schema);
    await database.query("CHECKPOINT");
    const figures = await drain(contestant, ground, { queue, database, messages });
    await verifyRows(database, contestant.schema, { tag, messages, ledger });
    if (contestant.vault) await verifyVault(database, tag);
    return figures;
  } finally {
    await queue.remove();
  }
}

interface Drain {
  readonly queue: HostedQueue;
  readonly database: TestDatabase;
  readonly messages: number;
}

async function drain(
  contestant: Contestant,
  { postgres, queues }: Ground,
  { queue, database, messages }: Drain,
): Promise<Figures> {
  const postmaster = postgres.pid ?? 0;
  const postgresBefore = await cpuOfTree(postmaster);
  const course = courseOf(queues, queue, database);
  await using running = startContestant(contestant.program(course));
  const { calls, firstReceiveAt = 0, lastDeleteAt = 0 } = await until(
    queue,
    running,
    ({ empty }) => empty,
    60_000 + 10 * messages,
  );
  return {
    messages,
    seconds: (lastDeleteAt - firstReceiveAt) / 1000,
    workerMs: cpuOf(running.pid),
    postgresMs: await cpuOfTree(postmaster) - postgresBefore,
    peakMiB: peakMemoryOf(running.pid),
    calls,
  };
}

/** Measures the start of a contestant on an empty queue, up to its first receive. @throws {Error} it failed */
export async function measureStartUp(contestant: Contestant, ground: Ground): Promise<StartUp> {
  await using database = await ground.postgres.createDatabase("bench");
  await createTables(database.url, contestant.schema);
  const tag = tagOf();
  const queue = await ground.queues.fill({ name: `empty-${tag}`, count: 0, tag, repeats: 0 });
  try {
    const course = courseOf(ground.queues, queue, database);
    await using running = startContestant(contestant.program(course));
    const begun = (state: QueueState) => state.firstReceiveAt !== undefined;
    const { firstReceiveAt = 0 } = await until(queue, running, begun, 60_000);
    return {
      workerMs: cpuOf(running.pid),
      milliseconds: firstReceiveAt - running.startedAt,
    };
  } finally {
    await queue.remove();
  }
}

function courseOf(queues: QueueHost, queue: HostedQueue, database: TestDatabase): Course {
  return {
    endpoint: queues.endpoint,
    queueUrl: queue.url,
    queryEndpoint: queues.queryEndpoint,
    deadLetterUrl: `${queue.url}-dead`,
    databaseUrl: database.url,
  };
}

/** Creates a tag of eight hexadecimal digits that no other run has. */
function tagOf(): string {
  return crypto.randomUUID().slice(0, 8);
}

/** Waits until the queue is in an expected state. @throws {Error} the process ended, or time is up */
async function until(
  queue: HostedQueue,
  running: Running,
  isExpected: (state: QueueState) => boolean,
  milliseconds: number,
): Promise<QueueState> {
  const deadline = performance.now() + milliseconds;
  for (;;) {
    const state = await queue.state();
    if (isExpected(state)) return state;
    const why = running.code !== undefined
      ? `ended with ${running.code}`
      : performance.now() > deadline
      ? `was not finished after ${milliseconds / 1000} s`
      : undefined;
    if (why) throw new Error(`The process ${why}: ${running.complaint().trim()}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
