import { markdownTable, spreadText } from "./report.ts";
import { type Measure, ratioOf, type Spread, type SummaryRow } from "./summary.ts";

/** A performance goal of the project. */
interface Goal {
  readonly what: string;
  /** The bound, and whether the figure may be at most or at least that. */
  readonly bound: number;
  readonly is: "most" | "least";
  readonly of: string;
  readonly to: string;
  readonly measure: Measure;
}

const goals: readonly Goal[] = [
  {
    what: "worker CPU to sqs-consumer, vault off",
    bound: 0.4,
    is: "most",
    of: "maskline-deno-off",
    to: "sqs-consumer",
    measure: "workerMicros",
  },
  {
    what: "worker CPU to sqs-consumer, vault on",
    bound: 0.65,
    is: "most",
    of: "maskline-deno",
    to: "sqs-consumer",
    measure: "workerMicros",
  },
  {
    what: "worker CPU to the limit (signed), vault off",
    bound: 1.5,
    is: "most",
    of: "maskline-deno-off",
    to: "limit-signed",
    measure: "workerMicros",
  },
  {
    what: "messages/s to sqs-consumer, vault off",
    bound: 2,
    is: "least",
    of: "maskline-deno-off",
    to: "sqs-consumer",
    measure: "perSecond",
  },
  {
    what: "messages/s to Python, vault off",
    bound: 30,
    is: "least",
    of: "maskline-deno-off",
    to: "python",
    measure: "perSecond",
  },
];

/** Calls per thousand messages on a full queue: one receive and one delete for ten. */
const CALLS = { expected: 200, tolerance: 0.02 };

/** Formats a table of the goals that these rows cover, each reached or missed. */
export function formatGoals(rows: readonly SummaryRow[]): string {
  const find = (name: string) => rows.find(({ id }) => id === name);
  const lines = goals.flatMap(({ what, bound, is, of, to, measure }) => {
    const ratio = ratioOf(find(of), find(to), measure);
    if (!ratio) return [];
    const reached = is === "most" ? ratio.median <= bound : ratio.median >= bound;
    return [[
      what,
      `at ${is} ${bound}×`,
      `${spreadText(ratio, 2)}`,
      reached ? "reached" : "missed",
    ]];
  });
  const calls = find("maskline-deno-off")?.figures?.callsPerThousand;
  if (calls) lines.push(callsLine(calls));
  return lines.length > 0 ? markdownTable(["Goal", "bound", "measured", ""], lines) : "";
}

function callsLine(calls: Spread): string[] {
  const { expected, tolerance } = CALLS;
  const reached = Math.abs(calls.median / expected - 1) <= tolerance;
  return [
    "SQS calls per 1,000, vault off",
    `${expected} ± ${tolerance * 100} %`,
    spreadText(calls, 1),
    reached ? "reached" : "missed",
  ];
}
