import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { type CredentialSource, derivePermissions, toFlags } from "../lib/config/permissions.ts";
import {
  environment,
  readSettings,
  SettingsError,
  type Source,
} from "../lib/config/read_settings.ts";

// deno-lint-ignore-file no-console -- a script for people, whose output is its purpose
/**
 * `deno task compile`: makes `dist/maskline`, one executable for the machine it is made on, or for
 * `--target`. The program is bundled first, so that exactly what `main.ts` reaches is inside; then it
 * is compiled with the permissions that this shell's settings need, or with those of `ALLOW_NET`.
 *
 * @module
 */

const SOURCES: readonly string[] = [
  "environment",
  "container",
  "instance",
  "web_identity",
  "profile",
];

const USAGE = `Usage: deno task compile [--target TRIPLE] [--output FILE]

Reads the settings of this shell (SQS_QUEUE_URL, DATABASE_URL, …) to name the only hosts, variables and
files that the binary may reach. Keys and passwords are not put into it.

  ALLOW_NET            hosts instead, with commas: sqs.eu-west-1.amazonaws.com:443,db:5432
  CREDENTIAL_SOURCE    ${SOURCES.join(", ")} (default: by the AWS variables that are set)
`;

/**
 * A piece for each command: in one file `--help` too would have to read the whole AWS SDK. Not `--minify`,
 * which saves no time, takes the places out of stack traces, and in Deno 2.7.11 breaks `require`.
 */
const BUNDLING = ["--platform=deno", "--code-splitting"];

/**
 * Where a package has its modules twice, those that a bundler can leave parts out of: a sixth of the
 * program, nearly all of it the AWS SDK's. Deno's default is the form for Node, which comes whole.
 */
const CONDITIONS = { DENO_CONDITIONS: "module" };

/**
 * Without it the binary keeps its compiled code as `deno-compile-<name>.cache` in the folder for temporary
 * files, and at the next start takes it from there whoever has written it: code that runs with our keys.
 */
const NO_CACHE = "--no-code-cache";

/**
 * Room for young objects, in MiB. What V8 would take by itself makes a worker a fifth larger and not
 * faster: 219 against 174 MiB, and 110 against 101 µs a message, medians of four paired runs of 50,000.
 */
const YOUNG_MIB = "--v8-flags=--max-semi-space-size=8";

interface Where {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

async function deno(args: readonly string[], where: Where): Promise<void> {
  const command = new Deno.Command(Deno.execPath(), { args: [...args], ...where });
  const { code } = await command.spawn().status;
  if (code !== 0) Deno.exit(code);
}

/** The settings without their secret files: those are there where the binary runs, not where it is made. */
const withoutSecrets: Source = {
  ...environment,
  get: (name) => name.endsWith("_FILE") ? undefined : environment.get(name),
};

function flagsFromSettings(): string[] {
  const allowNet = Deno.env.get("ALLOW_NET");
  const source = Deno.env.get("CREDENTIAL_SOURCE");
  if (source && !SOURCES.includes(source)) {
    throw new SettingsError([`CREDENTIAL_SOURCE: wanted ${SOURCES.join(", ")}`]);
  }
  const settings = readSettings(withoutSecrets, allowNet ? [] : ["SQS_QUEUE_URL", "DATABASE_URL"]);
  const permissions = derivePermissions(
    settings,
    environment.get,
    source as CredentialSource | undefined,
  );
  return toFlags(allowNet ? { ...permissions, net: allowNet.split(",") } : permissions);
}

async function compile({ target, output }: { target?: string; output?: string }): Promise<void> {
  const flags = flagsFromSettings();
  const targets = target ? ["--target", target] : [];
  const file = resolve(output ?? "dist/maskline");
  const staging = await Deno.makeTempDir({ prefix: "maskline-compile-" });
  try {
    await deno(["bundle", "--quiet", ...BUNDLING, "--outdir", staging, "main.ts"], {
      env: CONDITIONS,
    });
    // An empty configuration of its own: the project's would bring its whole lock file along.
    await Deno.writeTextFile(`${staging}/deno.json`, "{}\n");
    await deno(
      [
        "compile",
        "--quiet",
        NO_CACHE,
        YOUNG_MIB,
        ...flags,
        ...targets,
        "--output",
        file,
        "main.js",
      ],
      { cwd: staging },
    );
  } finally {
    await Deno.remove(staging, { recursive: true });
  }
  for (const flag of flags) console.error(`  ${flag}`);
}

/** Reads the command line; anything that is not known ends with the usage. */
function readArguments(): { target?: string; output?: string; help?: boolean } {
  const text = { type: "string" } as const;
  const options = { target: text, output: text, help: { type: "boolean", short: "h" } } as const;
  try {
    return parseArgs({ args: Deno.args, options }).values;
  } catch {
    console.error(USAGE);
    return Deno.exit(2);
  }
}

const args = readArguments();
if (args.help) {
  console.log(USAGE);
} else {
  try {
    await compile(args);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    const problems = error.problems.map((problem) => `  ${problem}`).join("\n");
    console.error(`${error.message}:\n${problems}\n\n${USAGE}`);
    Deno.exit(2);
  }
}
