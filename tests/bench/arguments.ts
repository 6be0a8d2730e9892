import { parseArgs } from "node:util";

/** What the command line of the benchmark asked for. */
export interface BenchArguments {
  readonly help: boolean;
  readonly quick: boolean;
  readonly growth: boolean;
  readonly idle: boolean;
  /** Messages a contestant. */
  readonly messages: number;
  /** Messages for the way of one row at a time, which is slow and grows slower. */
  readonly pythonMessages: number;
  readonly rounds: number;
  /** Share of the messages whose personal values stood in an earlier one, in percent. */
  readonly repeats: number;
  /** Parts of the ids of the contestants to run; empty for all. */
  readonly only: readonly string[];
  /** Sizes of queue and of table for `--growth`. */
  readonly growthMessages: readonly number[];
  readonly growthRows: readonly number[];
  readonly json: string | undefined;
  readonly svg: string | undefined;
}

export const USAGE = `Usage: deno task bench [OPTIONS]

Drains the same messages with each contestant by turns and prints a table in Markdown.

  --messages N          messages a contestant (default 50000)
  --python-messages N   messages for the Python way, one row at a time (default 5000 at most)
  --rounds N            rounds (default 5; 1 with --growth)
  --repeats PERCENT     share of personal values that came before (default 0)
  --only ID,ID          contestants whose id has one of these parts
  --quick               3000 messages (300 for Python), one round
  --json FILE           everything that was measured
  --svg FILE            a chart
  --growth              instead: the cost of Maskline as queue and tables grow
  --growth-messages N,N (default 5000,50000,500000)
  --growth-rows N,N     rows in the tables before (default 0,1000000,10000000)
  --idle                instead: the CPU of a worker on an empty queue, for a minute
`;

const options = {
  help: { type: "boolean", short: "h" },
  quick: { type: "boolean" },
  growth: { type: "boolean" },
  idle: { type: "boolean" },
  messages: { type: "string" },
  "python-messages": { type: "string" },
  rounds: { type: "string" },
  repeats: { type: "string" },
  only: { type: "string" },
  "growth-messages": { type: "string" },
  "growth-rows": { type: "string" },
  json: { type: "string" },
  svg: { type: "string" },
} as const;

/** Reads the command line; undefined where it cannot be understood. */
export function readArguments(args: readonly string[]): BenchArguments | undefined {
  try {
    const { values } = parseArgs({ args: [...args], options });
    const quick = values.quick ?? false;
    const growth = values.growth ?? false;
    const messages = whole(values.messages, quick ? 3_000 : 50_000);
    return {
      help: values.help ?? false,
      quick,
      growth,
      idle: values.idle ?? false,
      messages,
      pythonMessages: whole(values["python-messages"], Math.min(messages, quick ? 300 : 5_000)),
      rounds: whole(values.rounds, quick || growth ? 1 : 5),
      repeats: whole(values.repeats, 0, 0),
      only: values.only?.split(",") ?? [],
      growthMessages: list(values["growth-messages"], [5_000, 50_000, 500_000], 1),
      growthRows: list(values["growth-rows"], [0, 1_000_000, 10_000_000], 0),
      json: values.json,
      svg: values.svg,
    };
  } catch {
    return undefined;
  }
}

function list(text: string | undefined, fallback: readonly number[], least: number): number[] {
  return text === undefined ? [...fallback] : text.split(",").map((part) => whole(part, 0, least));
}

/** @throws {RangeError} it is no whole number of at least `least` */
function whole(text: string | undefined, fallback: number, least = 1): number {
  if (text === undefined) return fallback;
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < least) {
    throw new RangeError(`Wanted a whole number of at least ${least}`);
  }
  return number;
}
