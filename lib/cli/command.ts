import { parseArgs, type ParseArgsConfig } from "node:util";
import type { Source } from "../config/read_settings.ts";
import { findNearest } from "../config/read_value.ts";

/** What a command reads and writes, so that tests can replace it. */
export interface Io {
  /** The settings. */
  readonly source: Source;
  /** Writes to standard output: results only. */
  readonly out: (text: string) => void;
  /** Writes to standard error: everything that is not a result. */
  readonly err: (text: string) => void;
  /** Reads standard input to its end, as UTF-8. */
  readonly input: () => Promise<string>;
  /** Whether standard error is a terminal, where progress is shown. */
  readonly isTerminal: boolean;
  /** Returns the user of the operating system, for the audit log; null if the system does not know it. */
  readonly user: () => string | null;
  /** Aborts when the process receives a signal to stop. */
  readonly signal: AbortSignal;
}

/** Exit status of a process. */
export const exit = { done: 0, failed: 1, wrongUsage: 2 } as const;

/** One command of `maskline`. */
export interface Command {
  /** The words after `maskline`, as in `drain [--json]`. */
  readonly usage: string;
  /** What it does, and an example, for `--help`. */
  readonly help: string;
  readonly options?: NonNullable<ParseArgsConfig["options"]>;
  /** How many words it takes besides flags: the minimum and the maximum. Default none. */
  readonly words?: readonly [min: number, max: number];
  /** Runs the command and returns the exit status. */
  run(io: Io, args: Arguments): Promise<number>;
}

/** The command line after the command's name. */
export interface Arguments {
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
  readonly words: readonly string[];
}

/** The command line has a flag or a word that the command does not take. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/**
 * Reads a command's flags and words.
 *
 * @throws {UsageError} a flag is unknown, or there are too few or too many words; with the nearest known flag
 */
export function parseArguments(command: Command, args: readonly string[]): Arguments {
  const options = { ...command.options, help: { type: "boolean", short: "h" } as const };
  for (const arg of args) {
    const name = /^--([^=]+)/.exec(arg)?.[1];
    if (!name || Object.hasOwn(options, name)) continue;
    const meant = findNearest(name, Object.keys(options));
    // The message does not repeat what was typed, which may be a personal value in the wrong place.
    throw new UsageError(
      "There is no such flag" + (meant ? `, did you mean --${meant}?` : "; see --help"),
    );
  }
  const { values, positionals } = parse(args, options);
  const [min, max] = command.words ?? [0, 0];
  if (!values["help"] && (positionals.length < min || positionals.length > max)) {
    throw new UsageError(`Expected: maskline ${command.usage}`);
  }
  return { flags: values as Arguments["flags"], words: positionals };
}

function parse(args: readonly string[], options: NonNullable<ParseArgsConfig["options"]>) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    // The message repeats the argument, which may be a personal value typed in the wrong place.
    const { code = "" } = error as { code?: string };
    throw new UsageError(
      code === "ERR_PARSE_ARGS_INVALID_OPTION_VALUE"
        ? "A flag has no value, or one that it does not take; see --help"
        : "There is no such flag; see --help",
    );
  }
}
