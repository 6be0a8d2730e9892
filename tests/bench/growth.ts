import { createTables } from "./tables.ts";
import type { BenchArguments } from "./arguments.ts";
import type { Contestant } from "./contestant.ts";
import { fillTables } from "./fill_tables.ts";
import { type Machine, machineLine } from "./machine.ts";
import { measure, measureStartUp } from "./measure.ts";
import { markdownTable, spreadText } from "./report.ts";
import type { RoundsOptions, Run } from "./rounds.ts";
import { derive, type Derived, type Measure, spreadOf } from "./summary.ts";

/** One size of queue and table, with the figures of each round. */
export interface GrowthPoint {
  readonly id: string;
  readonly name: string;
  readonly messages: number;
  /** Rows in the target table and entries in the ledger before the run. */
  readonly rows: number;
  readonly rounds: readonly Derived[];
}

/** The contestant that is measured unless `--only` names others. */
const DEFAULT = "maskline-deno-off";

/**
 * Measures what a message costs as the queue and the tables grow. Each round goes through all sizes, so
 * that a slow period of the machine affects all of them.
 *
 * @throws {Error} a run failed
 */
export async function measureGrowth(options: RoundsOptions): Promise<GrowthPoint[]> {
  const { args, ground, contestants, say } = options;
  const able = contestants.filter(({ id, skipped, schema }) =>
    skipped === undefined && schema === "maskline" && (args.only.length > 0 || id === DEFAULT)
  );
  await using stack = new AsyncDisposableStack();
  const databases = new Map<number, Awaited<ReturnType<typeof ground.postgres.createDatabase>>>();
  for (const rows of args.growthRows.filter((rows) => rows > 0)) {
    say(`Filling the tables with ${rows.toLocaleString("en")} rows`);
    const database = stack.use(await ground.postgres.createDatabase("growth"));
    await createTables(database.url, "maskline");
    await fillTables(database, { rows, vault: able.some(({ vault }) => vault) });
    databases.set(rows, database);
  }
  const points = new Map<string, GrowthPoint & { rounds: Derived[] }>();
  for (let round = 1; round <= args.rounds; round++) {
    for (const { contestant, messages, rows } of sizes(able, args)) {
      const { id, name } = contestant;
      const startUp = await measureStartUp(contestant, ground);
      // Runs add their own rows to a filled database. An empty database is created for each run.
      const figures = await measure(contestant, ground, messages, databases.get(rows));
      const run: Run = { round, id, figures, startUp };
      const derived = derive(run);
      if (!derived) continue;
      say(
        `Round ${round}/${args.rounds}: ${id} ${messages} messages, ${rows} rows before: ` +
          `${derived.steadyMicros.toFixed(1)} µs, ${derived.peakMiB.toFixed(0)} MiB`,
      );
      const key = `${id} ${messages} ${rows}`;
      const point = points.get(key) ?? { id, name, messages, rows, rounds: [] };
      point.rounds.push(derived);
      points.set(key, point);
    }
  }
  return [...points.values()];
}

function* sizes(
  contestants: readonly Contestant[],
  { growthRows, growthMessages }: BenchArguments,
): Generator<{ contestant: Contestant; messages: number; rows: number }> {
  for (const contestant of contestants) {
    for (const rows of growthRows) {
      for (const messages of growthMessages) yield { contestant, messages, rows };
    }
  }
}

/** Formats the table in Markdown. The ratio is to the contestant's first size, within rounds. */
export function growthTable(
  points: readonly GrowthPoint[],
  machine: Machine,
  { rounds }: BenchArguments,
): string {
  const lines = points.map((point) => {
    const base = points.find(({ id }) => id === point.id);
    const spread = (measure: Measure) => spreadOf(point.rounds.map((round) => round[measure]));
    const ratio = spreadOf(
      point.rounds.map((round, index) =>
        round.steadyMicros / (base?.rounds[index]?.steadyMicros ?? NaN)
      ),
    );
    return [
      point.name,
      point.messages.toLocaleString("en"),
      point.rows.toLocaleString("en"),
      spreadText(spread("workerMicros"), 1),
      spreadText(spread("steadyMicros"), 1),
      spreadText(ratio, 2),
      spreadText(spread("peakMiB"), 0),
      spreadText(spread("postgresMicros"), 1),
      spreadText(spread("perSecond"), 0),
    ];
  });
  const head = [
    "",
    "messages",
    "rows before",
    "worker CPU, µs",
    "… without its start",
    "× of the first line",
    "peak memory, MiB",
    "Postgres CPU, µs",
    "messages/s",
  ];
  return `Growth, ${rounds === 1 ? "1 round" : `medians (min–max) of ${rounds} rounds`}. ` +
    `${machineLine(machine)}.\n\n${markdownTable(head, lines)}\n\n` +
    "The emulator holds 50,000 messages at most; the others are sent during the run. Messages/s depends\n" +
    "on the emulator too, so judge growth by the worker's CPU.\n";
}
