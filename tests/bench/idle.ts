import { createLine } from "../support/line.ts";
import type { PostgresServer } from "../support/postgres_server.ts";
import { cpuMilliseconds } from "../support/process_figures.ts";
import { startQueueProcess } from "../support/queue_process.ts";

/** Time for the timers of the start (first health check, first report). An estimate, not measured. */
const SETTLE_MS = 5_000;

const MEASURE_MS = 60_000;

/**
 * Measures the CPU that a worker uses on an empty queue, in milliseconds per minute. It is a figure to
 * look at, not a test: it includes the runtime's own timers and depends on how busy the machine is.
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
