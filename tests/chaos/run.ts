/**
 * Runs `deno task test:chaos`: kills workers a hundred times during faults of every kind, for three seeds
 * (or `--seed N`), and decodes hundreds of thousands of generated bodies. Prints one table, and exits
 * with 1 if a message was lost or doubled.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { type BodyFigures, decodeBodies, drainBodies } from "../support/body_runs.ts";
import { type ChaosFigures, runChaos } from "../support/chaos.ts";
import { type PostgresServer, startPostgres } from "../support/postgres_server.ts";
import { startQueueProcess } from "../support/queue_process.ts";
import type { QueueServer } from "../support/queue_server.ts";

const SEEDS = [1, 2, 3];
const MESSAGES = 20_000;
const KILLS = 100;
const WORKERS = 3;
const DECODED = 200_000;
const DRAINED = 2_000;

/** The figures of both kinds of runs. */
type Figures = BodyFigures & Partial<ChaosFigures>;

if (import.meta.main) Deno.exit(await run(Deno.args));

async function run(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { seed: { type: "string" } } });
  const seeds = values.seed === undefined ? SEEDS : [Number(values.seed)];
  if (!seeds.every(Number.isSafeInteger)) {
    print(Deno.stderr, `--seed: expected a whole number, got ${values.seed}\n`);
    return 2;
  }
  await using postgres = await startPostgres();
  await using queues = await startQueueProcess();
  const all = new Map<string, Figures>();
  for (const seed of seeds) {
    const figures = await chaos(postgres, queues, seed);
    all.set(`seed ${seed}`, figures);
    print(
      Deno.stdout,
      `seed ${seed}: ${formatKinds(figures.killKinds)}; ${formatKinds(figures.faultKinds)}\n`,
    );
  }
  const [seed = 1] = seeds;
  all.set("decoded bodies", decodeBodies(DECODED, seed));
  all.set("drained bodies", await drainBodies({ postgres, queues, count: DRAINED, seed }));
  print(Deno.stdout, tableOf(all));
  return all.values().every(({ lost, doubled }) => lost === 0 && doubled === 0) ? 0 : 1;
}

async function chaos(postgres: PostgresServer, queues: QueueServer, seed: number) {
  const isTerminal = Deno.stderr.isTerminal();
  const show = (text: string) => isTerminal && print(Deno.stderr, `\r\x1b[2K${text}`);
  try {
    return await runChaos({
      postgres,
      queues,
      messages: MESSAGES,
      kills: KILLS,
      seed,
      workers: WORKERS,
      faults: true,
      onKill: (kill) => show(`seed ${seed}: ${kill} of ${KILLS} kills`),
    });
  } finally {
    show("");
  }
}

/** Formats counts as `3 × while it starts, 2 × while it works`. */
function formatKinds(kinds: ReadonlyMap<string, number>): string {
  return [...kinds].toSorted().map(([kind, count]) => `${count} × ${kind}`).join(", ");
}

function tableOf(all: ReadonlyMap<string, Figures>): string {
  const lines = [["", "messages", "bad", "kills", "stops", "faults", "lost", "doubled", "seconds"]];
  for (const [name, figures] of all) {
    const { messages, bad, kills = 0, stops = 0, faults = 0, lost, doubled, seconds } = figures;
    const numbers = [messages, bad, kills, stops, faults, lost, doubled, seconds];
    lines.push([name, ...numbers.map((number) => number.toLocaleString("en"))]);
  }
  const [first = 0, ...widths] = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0))
  );
  return lines.map(([name = "", ...cells]) =>
    `${name.padEnd(first)}  ${cells.map((cell, i) => cell.padStart(widths[i] ?? 0)).join("  ")}\n`
  ).join("");
}

function print(stream: typeof Deno.stdout, text: string): void {
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
}
