import type { BenchArguments } from "./arguments.ts";
import { type Machine, machineLine } from "./machine.ts";
import { type Measure, ratioOf, type Spread, type SummaryRow } from "./summary.ts";

/** The contestant to which the ratios refer. */
const BASE = "sqs-consumer";

/** The columns of measurements, with their number of decimal places. */
const COLUMNS: readonly (readonly [Measure, string, number])[] = [
  ["perSecond", "messages/s", 0],
  ["workerMicros", "worker CPU, µs", 1],
  ["steadyMicros", "… without its start", 1],
  ["postgresMicros", "Postgres CPU, µs", 1],
  ["peakMiB", "peak memory, MiB", 0],
  ["callsPerThousand", "SQS calls per 1,000", 1],
  ["startMs", "first receive after, ms", 0],
];

/** Formats the report in Markdown: the machine, the table, and how to read it. */
export function reportTable(
  rows: readonly SummaryRow[],
  machine: Machine,
  args: BenchArguments,
): string {
  const base = rows.find(({ id }) => id === BASE);
  const head = [
    "",
    "messages",
    ...COLUMNS.map(([, title]) => title),
    "worker CPU ×",
    "messages/s ×",
  ];
  const lines = rows.map((row) => [row.name, count(row.messages), ...cellsOf(row, base)]);
  const rounds = args.rounds === 1
    ? "1 round"
    : `Medians (min–max) of ${args.rounds} rounds in turn`;
  return [
    `${rounds}. ${machineLine(machine)}.\n`,
    markdownTable(head, lines),
    notes(args),
  ].join("\n");
}

function cellsOf(row: SummaryRow, base: SummaryRow | undefined): string[] {
  const { figures } = row;
  if (!figures) return [(row.problem ?? "no figures").slice(0, 160), ...COLUMNS.map(() => ""), ""];
  return [
    ...COLUMNS.map(([measure, , digits]) => spreadText(figures[measure], digits)),
    spreadText(ratioOf(row, base, "workerMicros"), 2),
    spreadText(ratioOf(row, base, "perSecond"), 2),
  ];
}

function notes({ repeats }: BenchArguments): string {
  return `
Messages/s is measured from the first receive that reaches the queue to the last delete. CPU is the user
and system time of the worker and its children per message. It includes the start, which is measured with
an empty queue and subtracted in the next column. Postgres CPU is that of all its processes. × are ratios
to sqs-consumer within rounds. Everything runs on the same cores, including the emulator. ${repeats} % of the
messages repeat earlier personal values. A run counts only if every row is stored.
`;
}

/** Formats a table in Markdown. The first column is text, the others are numbers. */
export function markdownTable(
  head: readonly string[],
  lines: readonly (readonly string[])[],
): string {
  const row = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
  return [row(head), row(head.map((_, index) => index === 0 ? "---" : "--:")), ...lines.map(row)]
    .join("\n");
}

/** Formats a spread as `47.1 (45.0–50.2)`, or as one number if all values are the same. */
export function spreadText(spread: Spread | undefined, digits: number): string {
  if (!spread) return "";
  const text = (value: number) =>
    value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const { median, min, max } = spread;
  return min === max ? text(median) : `${text(median)} (${text(min)}–${text(max)})`;
}

function count(number: number): string {
  return number.toLocaleString("en");
}
