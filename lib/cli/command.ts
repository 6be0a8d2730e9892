import { parseArgs, type ParseArgsConfig } from "node:util";
import type { Source } from "../config/read_settings.ts";
import { nearest } from "../config/read_value.ts";

/** The world as a command sees it, so that tests can give it another one. */
export interface Io {
  /** Settings. */
  readonly source: Source;
  /** Writes to standard output: results only. */
  readonly out: (text: string) => void;
  /** Writes to standard error: everything for people. */
  readonly err: (text: string) => void;
  /** Reads standard input to its end, as UTF-8. */
  readonly input: () => Promise<string>;
  /** Whether standard error is a terminal, so that progress can be shown. */
  readonly terminal: boolean;
  /** The user of the operating system, for the audit; null where the system does not tell. */
  readonly user: () => string | null;
  /** Aborts when the process is told to stop. */
  readonly signal: AbortSignal;
}

/** Exit status of a process. */
export const exit = { done: 0, failed: 1, wrongUsage: 2 } as const;

/** One command of `maskline`. */
export interface Command {
  /** The words after `maskline`, as in `drain [--json]`. */
  readonly usage: string;
  /** What it does, and an example; shown by `--help`. */
  readonly help: string;
  readonly options?: NonNullable<ParseArgsConfig["options"]>;
  /** How many words besides flags it takes: the least and the most. Default none. */
  readonly words?: readonly [least: number, most: number];
  /** Does the work and gives the exit status. */
  run(io: Io, args: Arguments): Promise<number>;
}

/** The command line after the command's name. */
export interface Arguments {
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
  readonly words: readonly string[];
}

/** The command line is not what the command takes. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/**
 * Reads a command's flags and words.
 *
 * @throws {UsageError} a flag or a word is unknown, missing or too many; with the nearest right one
 */
export function parseArguments(command: Command, args: readonly string[]): Arguments {
  const options = { ...command.options, help: { type: "boolean", short: "h" } as const };
  for (const arg of args) {
    const name = /^--([^=]+)/.exec(arg)?.[1];
    if (!name || Object.hasOwn(options, name)) continue;
    const meant = nearest(name, Object.keys(options));
    // What was typed is not repeated: it may be a personal value in the wrong place.
    throw new UsageError("There is no such flag" + (meant ? `, did you mean --${meant}?` : ""));
  }
  const { values, positionals } = parse(args, options);
  const [least, most] = command.words ?? [0, 0];
  if (!values["help"] && (positionals.length < least || positionals.length > most)) {
    throw new UsageError(`Wanted: maskline ${command.usage}`);
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
        ? "A flag lacks its value, or has one that it does not take"
        : "A flag is not known",
    );
  }
}

/**
 * The value of `--limit`: a whole number from 1 to 10,000, or none.
 *
 * @throws {UsageError} it is something else
 */
export function readLimit({ limit }: Arguments["flags"]): number | undefined {
  if (limit === undefined) return undefined;
  const number = Number(limit);
  if (!Number.isInteger(number) || number < 1 || number > 10_000) {
    throw new UsageError("--limit: wanted a whole number from 1 to 10000");
  }
  return number;
}
