import { parseArgs } from "node:util";

/** The options of the benchmark's command line. */
export interface BenchArguments {
  readonly help: boolean;
  readonly quick: boolean;
  readonly growth: boolean;
  readonly idle: boolean;
  /** Messages per contestant. */
  readonly messages: number;
  /** Messages for the program that stores one row at a time. It slows down as its table grows. */
  readonly pythonMessages: number;
  readonly rounds: number;
  /** Share of the messages whose personal values were in an earlier one, in percent. */
  readonly repeats: number;
  /** Parts of the ids of the contestants to run. Empty for all contestants. */
  readonly only: readonly string[];
  /** Sizes of queue and of table for `--growth`. */
  readonly growthMessages: readonly number[];
  readonly growthRows: readonly number[];
  readonly json: string | undefined;
  readonly svg: string | undefined;
}

export const USAGE = `Usage: deno task bench [OPTIONS]

Drains the same messages with each contestant in turn and prints a table in Markdown.

  --messages N          messages per contestant (default 50000)
  --python-messages N   messages for Python, which stores one row at a time (default 5000 at most)
  --rounds N            rounds (default 5; 1 with --growth)
  --repeats PERCENT     share of messages that repeat earlier personal values (default 0)
  --only ID,ID          only contestants whose id contains one of these
  --quick               3000 messages (300 for Python), one round
  --json FILE           write all measurements to FILE
  --svg FILE            write a chart to FILE
  --growth              measure instead how the cost of Maskline changes as queue and tables grow
  --growth-messages N,N (default 5000,50000,500000)
  --growth-rows N,N     rows in the tables before the run (default 0,1000000,10000000)
  --idle                measure instead the CPU of a worker on an empty queue for a minute
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

/** Reads the command line. Returns undefined if it is invalid. */
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

/** Reads a number. @throws {RangeError} the text is not a whole number of at least `least` */
function whole(text: string | undefined, fallback: number, least = 1): number {
  if (text === undefined) return fallback;
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < least) {
    throw new RangeError(`Expected a whole number of at least ${least}, got ${text}`);
  }
  return number;
}
