import { ok, strictEqual } from "node:assert";
import { pick, type Random, seededRandom } from "../../lib/local/sample.ts";
import { isBalanced } from "../../lib/pipeline/counters.ts";
import { createFragileLine } from "../support/fragile_line.ts";
import type { MasklineProcess } from "../support/maskline.ts";
import { lastBooks } from "../support/progress.ts";
import { startQueueProcess } from "../support/queue_process.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";

const postgres = await sharedPostgres();
const queues = await startQueueProcess();

const WORKERS = 3;
const STEPS = 16;
const MESSAGES_PER_STEP = 200;

/** What the test does next with a worker. */
type Step = "start" | "kill" | "stop";

function nextStep(random: Random, running: number): Step {
  if (running === 0) return "start";
  const all: readonly Step[] = ["start", "start", "kill", "stop"];
  return pick(random, running === WORKERS ? ["kill", "stop"] : all);
}

async function endOne(worker: MasklineProcess, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
  // A worker that is stopped before it handles signals ends like any process.
  const listens = worker.err().includes("Settings");
  worker.kill(signal);
  const { code, err } = await worker.ended;
  if (signal === "SIGKILL" || !listens) return;
  strictEqual(code, 0, err);
  if (!err.includes("Started")) return;
  const books = lastBooks(err);
  ok(isBalanced(books) && books.inFlight === 0, JSON.stringify(books));
}

async function work(seed: number): Promise<void> {
  const random = seededRandom(seed);
  await using line = await createFragileLine({
    postgres,
    queues,
    leaseSeconds: 3,
    // Each end of a worker can cost its messages in flight one receive. Nothing else does.
    maxReceiveCount: STEPS + 1,
  });
  // Slow enough that there are messages left at each step.
  const env = { MAX_MESSAGES_PER_SECOND: "150", BATCH_ROWS: "50", BATCH_MILLISECONDS: "50" };
  const workers: MasklineProcess[] = [];
  for (let step = 0; step < STEPS; step++) {
    await line.sendNext(MESSAGES_PER_STEP);
    const what = nextStep(random, workers.length);
    if (what === "start") workers.push(line.start(env));
    else {
      const [worker] = workers.splice(Math.floor(random() * workers.length), 1);
      if (worker) await endOne(worker, what === "kill" ? "SIGKILL" : "SIGTERM");
    }
    // The moment is what this test is about; there is no condition to wait for.
    await new Promise((resolve) => setTimeout(resolve, random() * 700));
  }
  while (workers.length < WORKERS) workers.push(line.start());
  await line.expectDelivered();
  await Promise.all(workers.map((worker) => endOne(worker, "SIGTERM")));
}

Deno.test("run loses and doubles nothing when three workers start and end at random moments", async () => {
  await work(1);
});
