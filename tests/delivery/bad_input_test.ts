import { deepStrictEqual, ok } from "node:assert";
import { drainBodies } from "../support/body_runs.ts";
import { startQueueProcess } from "../support/queue_process.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";

const postgres = await sharedPostgres();

/** The number of bodies. The environment can set another. */
const COUNT = Number(Deno.env.get("MASKLINE_TEST_BODIES") ?? 2_000);

Deno.test("drain writes exactly one row or one rejection for each body when the bodies are generated", async () => {
  await using queues = await startQueueProcess();
  const { messages, bad, lost, doubled } = await drainBodies({
    postgres,
    queues,
    count: COUNT,
    seed: 12,
  });
  deepStrictEqual({ messages, lost, doubled }, { messages: COUNT, lost: 0, doubled: 0 });
  ok(bad > COUNT * 0.4 && bad < COUNT * 0.9, `${bad} of ${COUNT} were rejected`);
});
