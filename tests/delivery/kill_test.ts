import { deepStrictEqual } from "node:assert";
import { runChaos } from "../support/chaos.ts";
import { startQueueProcess } from "../support/queue_process.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";

const postgres = await sharedPostgres();

Deno.test("run loses and doubles nothing when it is killed repeatedly", async () => {
  await using queues = await startQueueProcess();
  const { lost, doubled } = await runChaos({
    postgres,
    queues,
    messages: 4_000,
    kills: 10,
    seed: 1,
    workers: 1,
    faults: false,
  });
  deepStrictEqual({ lost, doubled }, { lost: 0, doubled: 0 });
});

Deno.test("run loses and doubles nothing when two workers are killed during faults of every kind", async () => {
  await using queues = await startQueueProcess();
  const { lost, doubled } = await runChaos({
    postgres,
    queues,
    messages: 4_000,
    kills: 10,
    seed: 2,
    workers: 2,
    faults: true,
  });
  deepStrictEqual({ lost, doubled }, { lost: 0, doubled: 0 });
});
