import { deepStrictEqual, strictEqual } from "node:assert";
import { fileURLToPath } from "node:url";
import { libraryVariables } from "../../lib/config/library_variables.ts";
import { settings } from "../../lib/config/settings.ts";
import { type EnvironmentNames, environmentNames } from "../support/environment_names.ts";

/** Matches that look like names of variables and are not. */
const noVariables: Readonly<Record<string, string>> = {
  PG_INVALID_DATE: "the code of an error in pg's parser of dates",
};

/** Names that the program computes at run time, each with the reason why no variable is missed. */
const reviewed: Readonly<Record<string, string>> = {
  envVar: "pg's val(), whose callers environmentNames() reads one by one",
  bearerTokenKey: "AWS_BEARER_TOKEN_<service>: asked for services with bearer tokens, SQS is none",
  set: "English, in the SDK's error texts: not set in env",
};

/** Bundles the program from the modules that `deno task compile` uses, and finds the names that it reads. */
async function namesInProgram(): Promise<EnvironmentNames> {
  const folder = await Deno.makeTempDir({ prefix: "maskline-bundle-" });
  try {
    const output = `${folder}/main.js`;
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["bundle", "--quiet", "--platform=deno", "--output", output, "main.ts"],
      cwd: fileURLToPath(new URL("../../", import.meta.url)),
      env: { DENO_CONDITIONS: "module" },
    }).output();
    if (code !== 0) throw new Error(`deno bundle failed:\n${new TextDecoder().decode(stderr)}`);
    return environmentNames(await Deno.readTextFile(output));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const { names, unresolved } = await namesInProgram();

Deno.test("libraryVariables has every variable that the program reads", () => {
  const known = new Set([...libraryVariables, ...Object.keys(settings)]);
  const missing = [...names].filter((name) =>
    !known.has(name) && !Object.hasOwn(noVariables, name)
  );
  deepStrictEqual(missing, []);
});

Deno.test("libraryVariables has no variable that the program does not read", () => {
  deepStrictEqual(libraryVariables.filter((name) => !names.has(name)), []);
});

Deno.test("libraryVariables has each variable once, and no setting", () => {
  strictEqual(new Set(libraryVariables).size, libraryVariables.length);
  deepStrictEqual(libraryVariables.filter((name) => Object.hasOwn(settings, name)), []);
});

Deno.test("the program reads no computed names other than the reviewed ones", () => {
  deepStrictEqual([...unresolved].sort(), Object.keys(reviewed).sort());
});

Deno.test("the list of names that are no variables has only names in the program", () => {
  deepStrictEqual(Object.keys(noVariables).filter((name) => !names.has(name)), []);
});

const texts: [text: string, names: string[], unresolved?: string[]][] = [
  [`process.env.HOME`, ["HOME"]],
  [`process.env?.HOME`, ["HOME"]],
  [`process?.env?.HOME`, ["HOME"]],
  [`(env) => env.HOME`, ["HOME"]],
  [`(env2) => env2.HOME`, ["HOME"]],
  [`process.env["HOME"]`, ["HOME"]],
  [`"HOME" in process.env`, ["HOME"]],
  [`hasOwnProperty.call(process.env, "HOME")`, ["HOME"]],
  [`Deno.env.get("HOME")`, ["HOME"]],
  ["const { HOME, DRIVE = `C:${sep}` } = process.env;", ["HOME", "DRIVE"]],
  [`var ENV_KEY2 = "HOME"; env[config7.ENV_KEY]`, ["HOME"]],
  [`var ENV_KEY = "HOME"; ENV_KEY in env`, ["HOME"]],
  [`booleanSelector(env, "AWS_USE_IT")`, ["AWS_USE_IT"]],
  [`val("user", config)`, ["PGUSER"]],
  [`val("ssl", config, "PGSSL")`, ["PGSSL"]],
  [`val("ssl", config, false)`, []],
  [`process.env[name]`, [], ["name"]],
  [`name in env`, [], ["name"]],
  [`environment.HOME, Env.HOME, env.home`, []],
];
for (const [text, expected, open = []] of texts) {
  const given = expected.join(" and ") || "no name";
  Deno.test(`environmentNames() returns ${given} when it reads ${text}`, () => {
    const found = environmentNames(text);
    deepStrictEqual([[...found.names], [...found.unresolved]], [expected, open]);
  });
}
