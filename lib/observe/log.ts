import {
  configure,
  type FormattedValues,
  getLogger as getLogTapeLogger,
  getTextFormatter,
  type Logger,
  type LogRecord,
} from "@logtape/logtape";

/** Options of {@linkcode startLog}. */
export interface LogOptions {
  readonly level: "debug" | "info" | "warning" | "error";
  /** `auto` writes text to a terminal and JSON lines elsewhere. */
  readonly format: "auto" | "json" | "text";
  /** Writes a line. Default: to stderr, because stdout is for results. */
  readonly write?: (line: string) => void;
}

/**
 * Returns the logger of one part of Maskline. Properties may be ids, names, codes and numbers. They are
 * never a payload value, and never the text of a foreign error, which may quote a value.
 */
export function getLogger(part: string): Logger {
  return getLogTapeLogger(["maskline", part]);
}

/** Starts writing the log. Nothing is written before that, as tests and `--help` require. */
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
      // Without this logger, LogTape prints a notice about its own log on every start.
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["lines"] },
    ],
  });
}

/** Formats a record as a JSON object: time, level, part, message and properties. */
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

/**
 * Formats a record as text: `17:22:21.005 [warning] outage: The store is unavailable (57P01)`, then the
 * properties that are not in the message.
 */
function formatText({ timestamp, level, record }: FormattedValues): string {
  const template = String(record.rawMessage);
  const others = Object.entries(record.properties)
    .filter(([name]) => !template.includes(`{${name}}`))
    .map(([name, value]) => ` ${name}=${value}`);
  const part = record.category.at(-1);
  return `${timestamp} [${level}] ${part}: ${renderMessage(record)}${others.join("")}`;
}

/** Inserts the values into the message without quotes, which LogTape's own rendering adds. */
function renderMessage({ message }: LogRecord): string {
  return message.map(String).join("");
}

const encoder = new TextEncoder();

/** Writes to standard error. What cannot be written is lost: a worker must not end because of its log. */
export function writeToStderr(line: string): void {
  try {
    let bytes = encoder.encode(line);
    while (bytes.length > 0) bytes = bytes.subarray(Deno.stderr.writeSync(bytes));
  } catch {
    // The reader has closed it (EPIPE), or the disk behind it is full (ENOSPC).
  }
}
