/**
 * The command line: finds the command, runs it, and translates its errors into a safe text and an exit status.
 *
 * @module
 */
import { OperationError } from "../base/errors.ts";
import { formatSettingsHelp } from "../config/describe_settings.ts";
import { SettingsError } from "../config/read_settings.ts";
import { findNearest } from "../config/read_value.ts";
import { type Command, exit, type Io, parseArguments, UsageError } from "./command.ts";
import { commands } from "./commands.ts";

/** The version of this program; a test compares it with that of `deno.json`. */
export const version = "0.1.0";

/** Runs one command line and returns the exit status: 0 done, 1 failed, 2 wrong usage or settings. */
export async function main(args: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = args;
  try {
    if (name === "--version" || name === "-V" || rest.includes("--version")) {
      io.out(`maskline ${version}\n`);
      return exit.done;
    }
    if (name === undefined || name === "--help" || name === "-h" || name === "help") {
      io.out(formatMainHelp());
      return name === undefined ? exit.wrongUsage : exit.done;
    }
    const command = await findCommand(name);
    const parsed = parseArguments(command, rest);
    if (parsed.flags["help"]) {
      io.out(formatCommandHelp(command));
      return exit.done;
    }
    return await command.run(io, parsed);
  } catch (error) {
    return explainFailure(error, io);
  }
}

async function findCommand(name: string): Promise<Command> {
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (entry) return await entry.load();
  const meant = findNearest(name, Object.keys(commands));
  throw new UsageError(
    (meant
      ? `There is no such command, did you mean \`maskline ${meant}\`?`
      : "There is no such command.") +
      " See `maskline --help`",
  );
}

/** Reports a failure on standard error, without a value in it, and returns the exit status. */
export function explainFailure(error: unknown, io: Io): number {
  if (error instanceof SettingsError) {
    io.err(`${error.message}:\n${error.problems.map((problem) => `  ${problem}\n`).join("")}`);
    return exit.wrongUsage;
  }
  if (error instanceof UsageError) {
    io.err(`${error.message}\n`);
    return exit.wrongUsage;
  }
  if (error instanceof OperationError) {
    io.err(`${error.message}\n`);
    return exit.failed;
  }
  // Anything else is a bug. Its message may quote a value (V8's own messages do), and its name may be anything
  // that a library sets, so only the class of a built-in error and the stack are shown.
  io.err(
    `Maskline failed with ${findClass(error)}, which is a bug. Please report it with this stack:\n${
      readPlaces(error)
    }\n`,
  );
  return exit.failed;
}

/**
 * Returns the places of an error's stack. The header of a stack repeats the message, and both a library and a
 * message with lines like places can change what follows it. So the stack is shown only if it begins with the
 * error's own header, and only up to the first line that is not a place.
 */
function readPlaces(error: unknown): string {
  if (!(error instanceof Error) || typeof error.stack !== "string") return "";
  const header = Error.prototype.toString.call(error);
  if (!error.stack.startsWith(`${header}\n`)) {
    return "    (no stack: a library changed the error after it was created)";
  }
  const [places = ""] = /^(?:\n +at .*)*/.exec(error.stack.slice(header.length)) ?? [];
  return places.split("\n").slice(1, 9).join("\n");
}

const BUILT_IN = [TypeError, RangeError, ReferenceError, SyntaxError, URIError, EvalError, Error];

function findClass(error: unknown): string {
  return BUILT_IN.find((type) => error instanceof type)?.name ?? "a value that is not an error";
}

/** Returns what `maskline --help` prints. */
function formatMainHelp(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  const list = Object.entries(commands).map(([name, { summary }]) =>
    `  ${name.padEnd(width)}  ${summary}`
  );
  return `maskline ${version}
Moves events with personal data from a queue into Postgres, without the personal data.

Usage: maskline COMMAND [flags]      maskline COMMAND --help      maskline --version

Commands:
${list.join("\n")}

Settings (environment variables):
${formatSettingsHelp()}

AWS settings are the SDK's own: AWS_REGION, AWS_ENDPOINT_URL_SQS, the default credential chain.
Exit status: 0 done, 1 failed, 2 wrong usage or settings.
`;
}

/** Returns what `maskline COMMAND --help` prints. */
function formatCommandHelp(command: Command): string {
  return `Usage: maskline ${command.usage}\n\n${command.help.trim()}\n`;
}
