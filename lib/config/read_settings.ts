import { OperationError } from "../base/errors.ts";
import { findNearest, readValue } from "./read_value.ts";
import { type Row, type SettingName, settings, type ValueOf } from "./settings.ts";

/** The settings as read. A value is `undefined` if the setting is not set and has no default. */
export type Settings = { readonly [N in SettingName]: ValueOf<(typeof settings)[N]> };

/** A source of settings: the environment, and the files at the paths in `<name>_FILE`. */
export interface Source {
  get(name: string): string | undefined;
  readFile(path: string): string;
  /** Checks whether users other than the file's owner can read it. False if the system has no modes. */
  othersMayRead(path: string): boolean;
  /** Returns the names that are set, or none if the runtime does not allow a list. */
  names(): readonly string[];
}

/** Reports all problems of the settings at once. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`${problems.length} wrong setting${problems.length === 1 ? "" : "s"}`);
    this.problems = problems;
  }
}

/**
 * Reads all settings and reports all problems at once.
 *
 * @param required the settings that the command requires
 * @param check the rules between settings; applied even if single settings are wrong
 * @throws {SettingsError} with one text per problem
 */
export function readSettings(
  source: Source,
  required: readonly SettingName[],
  check: (settings: Settings) => readonly string[] = () => [],
): Settings {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, row] of Object.entries<Row>(settings)) {
    const text = readText(source, name, row, problems);
    if (text === undefined) {
      values[name] = row.kind === "address" ? readValue(row, row.default) : readDefault(row);
      continue;
    }
    try {
      values[name] = readValue(row, text);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      problems.push(`${name}: ${error.message}`);
    }
  }
  // A setting with an invalid value has no value here and must not be reported as missing too.
  const wrong = new Set(problems.map((problem) => problem.split(":")[0]?.replace(/_FILE$/, "")));
  const typos = findMisspelled(source);
  for (const name of required) {
    if (values[name] === undefined && !wrong.has(name)) {
      wrong.add(name);
      const typo = typos.find(([, meant]) => meant === name)?.[0];
      problems.push(
        `${name}: is not set. ${settings[name].about}` + (typo ? ` (${typo} is set)` : ""),
      );
    }
  }
  for (const [name, meant] of typos) {
    problems.push(`${name}: is not a setting. Did you mean ${meant}?`);
  }
  const read = values as unknown as Settings;
  for (const problem of check(read)) {
    const [name = ""] = problem.split(":");
    if (!wrong.has(name)) problems.push(problem);
  }
  if (problems.length > 0) throw new SettingsError(problems);
  return read;
}

function readDefault(row: Row): unknown {
  return "default" in row ? row.default : undefined;
}

function readText(
  source: Source,
  name: string,
  row: Row,
  problems: string[],
): string | undefined {
  // An empty value counts as not set: it comes from `NAME=` in an env file.
  const direct = source.get(name) || undefined;
  if (!row.secret) return direct;
  const path = source.get(`${name}_FILE`) || undefined;
  if (path === undefined) return direct;
  if (direct !== undefined) {
    problems.push(`${name}: is set twice. Set either ${name} or ${name}_FILE`);
    return undefined;
  }
  try {
    return source.readFile(path).trim();
  } catch (error) {
    problems.push(
      `${name}_FILE: cannot be read (${error instanceof Error ? error.name : "error"}). ` +
        "Check the path and the file's permissions",
    );
    return undefined;
  }
}

/**
 * Finds variables whose names resemble a setting, with the setting that was probably meant. A setting that
 * is set was not mistyped. Short names (VAULT) resemble too many unrelated names.
 */
function findMisspelled(source: Source): [name: string, meant: SettingName][] {
  const known = Object.keys(settings) as SettingName[];
  const given = new Set(source.names());
  const free = known.filter((name) => !given.has(name) && !given.has(`${name}_FILE`));
  const valid = new Set(known.flatMap((name) => [name, `${name}_FILE`]));
  return [...given].flatMap((name) => {
    if (valid.has(name) || name.length < 7) return [];
    const meant = findNearest(name, free, 2);
    return meant ? [[name, meant as SettingName] as [string, SettingName]] : [];
  });
}

/** Caches file contents, because a pipe (`MASK_PEPPER_FILE=/dev/fd/3`) can be read only once. */
const fileTexts = new Map<string, string>();

/** The source of this process: its environment, and the files that it refers to. */
export const environment: Source = {
  get: (name) => Deno.env.get(name),
  readFile(path) {
    const text = fileTexts.get(path) ?? Deno.readTextFileSync(path);
    fileTexts.set(path, text);
    return text;
  },
  othersMayRead(path) {
    const { mode } = Deno.statSync(path);
    return mode !== null && (mode & 0o077) !== 0;
  },
  names() {
    // A compiled binary may read only its own variables and cannot list the others.
    const { state } = Deno.permissions.querySync({ name: "env" });
    return state === "granted" ? Object.keys(Deno.env.toObject()) : [];
  },
};
