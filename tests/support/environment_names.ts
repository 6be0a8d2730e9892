/** Environment variables that a program's text reads, and places where the name is unknown. */
export interface EnvironmentNames {
  readonly names: ReadonlySet<string>;
  /** Identifiers in brackets that are not a constant: `envVar` of `process.env[envVar]`. */
  readonly unresolved: ReadonlySet<string>;
}

/** Matches the environment in JavaScript: the process's own, or a parameter `env`. */
const ENV = String.raw`(?:process\.env|\benv\d*)`;

const patterns: readonly RegExp[] = [
  // process.env.HOME, process.env?.HOME, env.HOME
  new RegExp(String.raw`${ENV}(?:\?)?\.([A-Z_][A-Z0-9_]*)\b`, "g"),
  // "HOME" in process.env; Object.hasOwn(process.env, "HOME")
  new RegExp(String.raw`["']([A-Za-z_]\w*)["'] in ${ENV}`, "g"),
  new RegExp(String.raw`${ENV}, ["']([A-Za-z_]\w*)["']\)`, "g"),
  // env["HOME"], Deno.env.get("HOME")
  new RegExp(String.raw`${ENV}\[["']([A-Za-z_]\w*)["']\]`, "g"),
  /Deno\.env\.(?:get|has)\(["'](\w+)["']\)/g,
  // Constants and arguments that a library's helper uses as a name.
  /["'`]((?:AWS|PG|NODE_PG|_X_AMZN)_?[A-Z0-9][A-Z0-9_]*)["'`]/g,
];

/** Finds environment variables in a bundle. It reads text, not syntax, so it can find too many. */
export function environmentNames(text: string): EnvironmentNames {
  const names = new Set<string>();
  const unresolved = new Set<string>();
  for (const pattern of patterns) {
    for (const [, name] of text.matchAll(pattern)) if (name) names.add(name);
  }
  // const { HOME, HOMEDRIVE = "C:" } = process.env
  for (const [, list = ""] of text.matchAll(/\{(.*)\} = process\.env\b/g)) {
    for (const [, name] of list.matchAll(/(?:^|,)\s*([A-Z_]\w*)/g)) if (name) names.add(name);
  }
  // env[ENV_KEY] and ENV_KEY in env, where somewhere ENV_KEY = "AWS_ACCESS_KEY_ID"
  const indirect = new RegExp(String.raw`${ENV}\[([\w.]+)\]|\b([\w.]+) in ${ENV}\b`, "g");
  for (const [, bracketed, tested] of text.matchAll(indirect)) {
    const identifier = bracketed ?? tested ?? "";
    const constants = constantsOf(text, identifier);
    if (constants.length === 0) unresolved.add(identifier);
    for (const constant of constants) names.add(constant);
  }
  // pg: val("user", config) reads PGUSER, unless a third argument says otherwise.
  for (const [, key = "", named] of text.matchAll(/\bval\("(\w+)", config(?:, (\w+|"\w+"))?\)/g)) {
    if (named === undefined) names.add(`PG${key.toUpperCase()}`);
    else if (named.startsWith(`"`)) names.add(named.slice(1, -1));
  }
  return { names, unresolved };
}

/**
 * Finds the strings to which an identifier is set anywhere. The bundler numbers names that occur twice,
 * and a module's exports have their plain name: `config28.ENV_PROFILE` may be set as `ENV_PROFILE2`.
 */
function constantsOf(text: string, identifier: string): string[] {
  const name = identifier.split(".").at(-1)?.replace(/\d+$/, "") ?? "";
  const setting = new RegExp(String.raw`\b${name}\d* = ["']([A-Z_][A-Z0-9_]*)["']`, "g");
  return [...text.matchAll(setting)].map(([, value = ""]) => value);
}
