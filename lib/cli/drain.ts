import { type CountersSnapshot, isBalanced } from "../pipeline/counters.ts";
import { startWorkerLog, workerSettings } from "../worker/settings.ts";
import { openWorker, type Worker } from "../worker/worker.ts";
import { type Command, exit, type Io } from "./command.ts";
import { formatCount } from "./terminal/format.ts";

/** `maskline drain` */
export const drain: Command = {
  usage: "drain [--json]",
  help: `
Works until the queue hands nothing more out (two long polls in a row bring nothing), then prints the
books. Messages that another worker holds are not waited for.

  --json   print one JSON object: received, committed, duplicate, rejected, released, seconds

  maskline drain --json | jq .committed`,
  options: { json: { type: "boolean" } },
  async run(io, { flags }) {
    const settings = workerSettings(io);
    await startWorkerLog(settings, io);
    const worker = await openWorker(settings, { untilEmpty: true, signal: io.signal });
    const startedAt = performance.now();
    const progress = showProgress(worker, io);
    try {
      const books = await worker.pipeline.run(io.signal);
      const seconds = Math.round(performance.now() - startedAt) / 1000;
      progress.stop();
      io.out(
        flags["json"] ? `${formatCountersJson(books, seconds)}\n` : formatCounters(books, seconds),
      );
      return isBalanced(books) && books.inFlight === 0 ? exit.done : exit.failed;
    } finally {
      progress.stop();
      await worker.close();
    }
  },
};

function formatCountersJson(books: CountersSnapshot, seconds: number): string {
  const { received, committed, duplicate, rejected, released } = books;
  return JSON.stringify({ received, committed, duplicate, rejected, released, seconds });
}

/** The books for people. */
export function formatCounters(books: CountersSnapshot, seconds: number): string {
  const { inFlight: _, ...lines } = books;
  const rows = Object.entries(lines).map(([name, count]) =>
    `  ${name.padEnd(10)} ${formatCount(count).padStart(9)}\n`
  );
  return `${rows.join("")}  ${"seconds".padEnd(10)} ${seconds.toFixed(2).padStart(9)}\n`;
}

/** One line on the terminal that tells how far it is; nothing where stderr is no terminal. */
export function showProgress(worker: Worker, io: Io): { stop(): void } {
  if (!io.terminal) return { stop() {} };
  const draw = () => {
    const { received, committed, inFlight } = worker.pipeline.counters;
    io.err(`\r\x1b[2K${received} received, ${committed} committed, ${inFlight} in flight`);
  };
  const timer = setInterval(draw, 100);
  let stopped = false;
  return {
    stop() {
      if (stopped) return;
      stopped = true;
      clearInterval(timer);
      io.err("\r\x1b[2K");
    },
  };
}
