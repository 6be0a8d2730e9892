import {
  configure,
  type FormattedValues,
  getLogger as getLogTapeLogger,
  getTextFormatter,
  type Logger,
  type LogRecord,
  reset,
} from "@logtape/logtape";

/** Options of {@linkcode startLog}. */
export interface LogOptions {
  readonly level: "debug" | "info" | "warning" | "error";
  /** `auto`: text on a terminal, JSON lines elsewhere. */
  readonly format: "auto" | "json" | "text";
  /** Takes each line. Default: stderr, so that stdout stays free for results. */
  readonly write?: (line: string) => void;
}

/**
 * The log of one part of Maskline. Properties may be ids, names, codes and numbers; a value of a payload
 * never is one, and the text of a foreign error never is one either, since it may quote a value.
 */
export function getLogger(part: string): Logger {
  return getLogTapeLogger(["maskline", part]);
}

/** Starts writing the log. Before that nothing is written, which is what tests and `--help` want. */
export async function startLog(options: LogOptions): Promise<void> {
  const json = options.format === "json" ||
    (options.format === "auto" && !Deno.stderr.isTerminal());
  const format = json
    ? formatJson
    : getTextFormatter({ timestamp: "time", level: "full", format: formatText });
  const write = options.write ?? writeToStderr;
  await configure({
    reset: true,
    sinks: { lines: (record: LogRecord) => write(format(record)) },
    loggers: [
      { category: ["maskline"], lowestLevel: options.level, sinks: ["lines"] },
      // LogTape's own news (a sink that fails) would otherwise be announced on every start.
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["lines"] },
    ],
  });
}

/** Stops writing the log. */
export async function stopLog(): Promise<void> {
  await reset();
}

/** One JSON object: when, how grave, which part, the sentence, and what it carries. */
function formatJson(record: LogRecord): string {
  const { timestamp, level, category, properties } = record;
  return JSON.stringify({
    time: new Date(timestamp).toISOString(),
    level,
    part: category.at(-1),
    message: renderMessage(record),
    ...properties,
  }) + "\n";
}

/** `17:22:21.005 [warning] outage: The store is away (57P01)`, then what the sentence does not say. */
function formatText({ timestamp, level, record }: FormattedValues): string {
  const template = String(record.rawMessage);
  const carried = Object.entries(record.properties)
    .filter(([name]) => !template.includes(`{${name}}`))
    .map(([name, value]) => ` ${name}=${value}`);
  const part = record.category.at(-1);
  return `${timestamp} [${level}] ${part}: ${renderMessage(record)}${carried.join("")}`;
}

/** The sentence with its values in it, as they are: LogTape's own rendering would quote them. */
function renderMessage({ message }: LogRecord): string {
  return message.map(String).join("");
}

const encoder = new TextEncoder();

function writeToStderr(line: string): void {
  try {
    let bytes = encoder.encode(line);
    while (bytes.length > 0) bytes = bytes.subarray(Deno.stderr.writeSync(bytes));
  } catch {
    // Nobody reads stderr any more (EPIPE). Losing a log line is better than losing the worker.
  }
}
