import { OperationError } from "../base/errors.ts";
import { nearest, readValue } from "./read_value.ts";
import { type Row, type SettingName, settings, type ValueOf } from "./settings.ts";

/** The settings as read: one value a row, `undefined` where nothing was given and nothing is implied. */
export type Settings = { readonly [N in SettingName]: ValueOf<(typeof settings)[N]> };

/** Where settings come from: the environment, and the files that `<name>_FILE` names. */
export interface Source {
  get(name: string): string | undefined;
  readFile(path: string): string;
  /** Whether others than the file's owner may read it; false where the system cannot tell. */
  othersMayRead(path: string): boolean;
  /** Names that are set, where the runtime may list them; else none. */
  names(): readonly string[];
}

/** All that is wrong with the settings, at once. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`${problems.length} wrong setting${problems.length === 1 ? "" : "s"}`);
    this.problems = problems;
  }
}

/**
 * Reads all settings and says everything that is wrong in one go.
 *
 * @param required names without which the command at hand cannot work
 * @param check rules between settings; asked even where single settings are wrong already
 * @throws {SettingsError} with one sentence a problem
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
  // A setting that is wrong by itself would look like one that is missing.
  const wrong = new Set(problems.map((problem) => problem.split(":")[0]?.replace(/_FILE$/, "")));
  const typos = misspelled(source);
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
    problems.push(`${name}: is no setting, did you mean ${meant}?`);
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
  // An empty value is what `NAME=` in an env file leaves: nothing was said.
  const direct = source.get(name) || undefined;
  if (!row.secret) return direct;
  const path = source.get(`${name}_FILE`) || undefined;
  if (path === undefined) return direct;
  if (direct !== undefined) {
    problems.push(`${name}: is set twice, by itself and by ${name}_FILE; wanted one`);
    return undefined;
  }
  try {
    return source.readFile(path).trim();
  } catch (error) {
    problems.push(
      `${name}_FILE: cannot be read (${error instanceof Error ? error.name : "error"})`,
    );
    return undefined;
  }
}

/**
 * Names in the environment that are almost a setting's, with the setting that was meant. A setting that
 * is itself given was not mistyped, and short names (VAULT) have too many innocent neighbours.
 */
function misspelled(source: Source): [name: string, meant: SettingName][] {
  const known = Object.keys(settings) as SettingName[];
  const given = new Set(source.names());
  const free = known.filter((name) => !given.has(name) && !given.has(`${name}_FILE`));
  const valid = new Set(known.flatMap((name) => [name, `${name}_FILE`]));
  return [...given].flatMap((name) => {
    if (valid.has(name) || name.length < 7) return [];
    const meant = nearest(name, free, 2);
    return meant ? [[name, meant as SettingName] as [string, SettingName]] : [];
  });
}

/** What was read, since a pipe (`MASK_PEPPER_FILE=/dev/fd/3`) gives what it has only once. */
const read = new Map<string, string>();

/** The settings of this process: its environment, and the files that it names. */
export const environment: Source = {
  get: (name) => Deno.env.get(name),
  readFile(path) {
    const text = read.get(path) ?? Deno.readTextFileSync(path);
    read.set(path, text);
    return text;
  },
  othersMayRead(path) {
    const { mode } = Deno.statSync(path);
    return mode !== null && (mode & 0o077) !== 0;
  },
  names() {
    // A compiled binary may read its own names only, and so cannot list what else is set.
    const { state } = Deno.permissions.querySync({ name: "env" });
    return state === "granted" ? Object.keys(Deno.env.toObject()) : [];
  },
};
