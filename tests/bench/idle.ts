import { createLine } from "../support/line.ts";
import type { PostgresServer } from "../support/postgres_server.ts";
import { cpuMilliseconds } from "../support/process_figures.ts";
import { startQueueProcess } from "../support/queue_process.ts";

/** Timers of the start (the first health check, the first report) have run by then: an estimate. */
const SETTLE_MS = 5_000;

const MEASURE_MS = 60_000;

/**
 * Measures the CPU that a worker takes on an empty queue, in milliseconds a minute. It is a figure to
 * look at and no test: the runtime's own timers and a busy machine are in it.
 */
export async function measureIdle(postgres: PostgresServer): Promise<number> {
  await using queues = await startQueueProcess();
  await using line = await createLine({ postgres, queues });
  const worker = line.start();
  await worker.untilErr(/Started/);
  await wait(SETTLE_MS);
  const before = cpuMilliseconds(worker.pid);
  await wait(MEASURE_MS);
  const used = cpuMilliseconds(worker.pid) - before;
  worker.kill("SIGTERM");
  await worker.ended;
  return used * 60_000 / MEASURE_MS;
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
