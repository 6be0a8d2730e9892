// deno-lint-ignore-file no-console -- a program for people, whose output is its purpose
/**
 * Runs `deno task bench`: Maskline, its peers and the limit drain the same messages in turn, with one
 * Postgres and one SQS emulator. Prints a table in Markdown.
 *
 * @module
 */
import { startPostgres } from "../support/postgres_server.ts";
import { readArguments, USAGE } from "./arguments.ts";
import { drawChart } from "./chart.ts";
import { findContestants } from "./find_contestants.ts";
import { formatGoals } from "./goals.ts";
import { growthTable, measureGrowth } from "./growth.ts";
import { measureIdle } from "./idle.ts";
import { describeMachine } from "./machine.ts";
import { startQueueHost } from "./queue_host.ts";
import { reportTable } from "./report.ts";
import { measureRounds } from "./rounds.ts";
import { summarize } from "./summary.ts";
import type { Ground } from "./measure.ts";

/**
 * The settings of Postgres for every contestant. Maintenance for earlier runs would distort the run that
 * is being measured, so Postgres does none by itself. Each run begins with a checkpoint.
 */
const POSTGRES_SETTINGS = {
  autovacuum: "off",
  checkpoint_timeout: "1h",
  max_wal_size: "8GB",
  shared_buffers: "512MB",
};

async function main(): Promise<number> {
  const args = readArguments(Deno.args);
  if (args === undefined) {
    console.error(USAGE);
    return 2;
  }
  if (args.help) {
    console.log(USAGE);
    return 0;
  }
  if (Deno.build.os !== "linux") {
    console.error("The benchmark needs Linux, because it reads /proc");
    return 1;
  }
  await using postgres = await startPostgres({ settings: POSTGRES_SETTINGS, onDisk: true });
  if (args.idle) {
    console.log(`An idle worker uses ${await measureIdle(postgres)} ms of CPU per minute`);
    return 0;
  }
  await using queues = await startQueueHost();
  const ground: Ground = { postgres, queues, repeats: args.repeats };
  const say = (line: string) => console.error(line);
  await using contestants = await findContestants(args, ground, say);
  const machine = await describeMachine(ground);
  if (args.growth) {
    const points = await measureGrowth({ args, ground, contestants: contestants.list, say });
    console.log(growthTable(points, machine, args));
    await writeJson(args.json, { machine, args, points });
    return 0;
  }
  const runs = await measureRounds({ args, ground, contestants: contestants.list, say });
  const rows = summarize(contestants.list, runs);
  console.log(reportTable(rows, machine, args));
  console.log(formatGoals(rows));
  const plain = rows.map(({ rounds: _, ...row }) => row);
  await writeJson(args.json, { machine, args, rows: plain, runs });
  if (args.svg) await Deno.writeTextFile(args.svg, drawChart(rows, machine));
  // A failed peer is only a line in the table, and a skipped contestant did not run. If Maskline fails,
  // the build fails.
  return runs.some(({ id, problem }) => id.startsWith("maskline") && problem) ? 1 : 0;
}

async function writeJson(path: string | undefined, content: unknown): Promise<void> {
  if (path) await Deno.writeTextFile(path, `${JSON.stringify(content, null, 2)}\n`);
}

if (import.meta.main) Deno.exit(await main());
