import { type CountersSnapshot, isBalanced } from "../pipeline/counters.ts";
import { readWorkerSettings, startWorkerLog } from "../worker/settings.ts";
import { openWorker } from "../worker/worker.ts";
import { type Command, exit } from "./command.ts";
import { formatCount } from "./terminal/format.ts";
import { showRepeatedly } from "./terminal/progress.ts";

/** `maskline drain` */
export const drain: Command = {
  usage: "drain [--json]",
  help: `
Works until the queue is empty (two receives in a row return nothing), then prints the books. It does
not wait for messages that are in flight in another worker.

  --json   print one JSON object: received, committed, duplicate, rejected, released, seconds

  maskline drain --json | jq .committed`,
  options: { json: { type: "boolean" } },
  async run(io, { flags }) {
    const settings = readWorkerSettings(io.source);
    await startWorkerLog(settings, io.err);
    const worker = await openWorker(settings, { untilEmpty: true, signal: io.signal });
    const startedAt = performance.now();
    const progress = showRepeatedly(io, () => {
      const { received, committed, inFlight } = worker.pipeline.counters;
      return `${received} received, ${committed} committed, ${inFlight} in flight`;
    });
    try {
      const counters = await worker.pipeline.run(io.signal);
      const seconds = Math.round(performance.now() - startedAt) / 1000;
      progress.stop();
      io.out(
        flags["json"]
          ? `${formatCountersJson(counters, seconds)}\n`
          : formatCounters(counters, seconds),
      );
      return isBalanced(counters) && counters.inFlight === 0 ? exit.done : exit.failed;
    } finally {
      progress.stop();
      await worker.close();
    }
  },
};

function formatCountersJson(counters: CountersSnapshot, seconds: number): string {
  const { received, committed, duplicate, rejected, released } = counters;
  return JSON.stringify({ received, committed, duplicate, rejected, released, seconds });
}

/** Formats the counters as a table. */
export function formatCounters(counters: CountersSnapshot, seconds: number): string {
  const { inFlight: _, ...rows } = counters;
  const lines = Object.entries(rows).map(([name, count]) =>
    `  ${name.padEnd(10)} ${formatCount(count).padStart(9)}\n`
  );
  return `${lines.join("")}  ${"seconds".padEnd(10)} ${seconds.toFixed(2).padStart(9)}\n`;
}
