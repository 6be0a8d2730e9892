// deno-lint-ignore-file no-console -- a script for people: its output is its purpose
/**
 * Compiles `dist/maskline`, one executable for this machine or for `--target` (`deno task compile`).
 * The program is bundled first, so that it contains exactly what `main.ts` reaches. Then it is
 * compiled with the permissions that this shell's settings require, or with the hosts of `ALLOW_NET`.
 *
 * @module
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { type CredentialSource, derivePermissions, toFlags } from "../lib/config/permissions.ts";
import {
  environment,
  readSettings,
  SettingsError,
  type Source,
} from "../lib/config/read_settings.ts";

const SOURCES: readonly string[] = [
  "environment",
  "container",
  "instance",
  "web_identity",
  "profile",
];

const USAGE = `Usage: deno task compile [--target TRIPLE] [--output FILE]

Reads the settings of this shell (SQS_QUEUE_URL, DATABASE_URL, …), which name the only hosts, variables
and files that the binary may use. Keys and passwords are not compiled in.

  ALLOW_NET            the hosts, listed with commas: sqs.eu-west-1.amazonaws.com:443,db:5432
  CREDENTIAL_SOURCE    ${SOURCES.join(", ")} (default: by the AWS variables that are set)
`;

/**
 * Bundles one file per command: with a single file, `--help` would have to read the whole AWS SDK.
 * Without `--minify`, which saves no time, removes the positions from stack traces and breaks
 * `require` in Deno 2.7.11.
 */
const BUNDLING = ["--platform=deno", "--code-splitting"];

/**
 * Selects the modules from which a bundler can omit parts, if a package has its modules twice. This
 * saves a sixth of the program, nearly all of it the AWS SDK's. Deno's default is the form for
 * Node, which is bundled whole.
 */
const CONDITIONS = { DENO_CONDITIONS: "module" };

/**
 * Turns the code cache off. With it, the binary writes its compiled code to the file
 * `deno-compile-<name>.cache` in the folder for temporary files and reads it at the next start.
 * Another user could write that file, and its code would run with our keys.
 */
const NO_CACHE = "--no-code-cache";

/**
 * Limits the space for young objects, in MiB. V8's own choice makes a worker a fifth larger and not
 * faster: 219 against 174 MiB, and 110 against 101 µs per message, medians of four paired runs of
 * 50,000.
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

/**
 * The settings without their secret files, which exist where the binary runs and not where it is
 * compiled.
 */
const withoutSecrets: Source = {
  ...environment,
  get: (name) => name.endsWith("_FILE") ? undefined : environment.get(name),
};

function flagsFromSettings(): string[] {
  const allowNet = Deno.env.get("ALLOW_NET");
  const source = Deno.env.get("CREDENTIAL_SOURCE");
  if (source && !SOURCES.includes(source)) {
    throw new SettingsError([
      `CREDENTIAL_SOURCE: expected one of ${SOURCES.join(", ")}, got another value`,
    ]);
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
    // An empty configuration: with the project's, the binary would contain its whole lock file.
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

/** Reads the command line. An unknown argument prints the usage and exits with 2. */
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
