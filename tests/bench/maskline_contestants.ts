import { fileURLToPath } from "node:url";
import { generateVaultKeys } from "../../lib/vault/suite.ts";
import { compile, findCompiler } from "../support/compiler.ts";
import { awsVariables } from "../support/line.ts";
import type { Contestant, Course, Program } from "./contestant.ts";
import type { Ground } from "./measure.ts";

/** Options of {@linkcode masklineContestants}. */
export interface MasklineContestantsOptions {
  readonly messages: number;
  /** The path of the compiled program. */
  readonly binary: string;
  readonly ground: Ground;
  /** Whether the contestant with this id takes part. Maskline is compiled only for one that does. */
  readonly isSelected: (id: string) => boolean;
  readonly say: (line: string) => void;
}

/** The settings of a variant besides those that all variants need. */
type Variant = (course: Course) => Readonly<Record<string, string>>;

/** The arguments with which `deno task maskline` runs it. */
const AS_THE_TASK = ["run", "--quiet", "--v8-flags=--max-semi-space-size=8", "-A"];

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Creates the contestants for Maskline, with and without its vault, run by Deno and compiled. */
export async function masklineContestants(
  options: MasklineContestantsOptions,
): Promise<Contestant[]> {
  const { messages, isSelected } = options;
  const vault = await generateVaultKeys();
  const key = `v1:${vault.publicKey.toBase64()}`;
  const variants: readonly (readonly [string, string, Variant])[] = [
    ["", "vault on", () => ({ VAULT_PUBLIC_KEY: key })],
    [
      "-off",
      "vault off",
      ({ deadLetterUrl }) => ({
        VAULT: "off",
        REJECTED_TO: "queue",
        SQS_DLQ_URL: deadLetterUrl,
      }),
    ],
  ];
  const compiled = variants.some(([suffix]) => isSelected(`maskline-binary${suffix}`))
    ? await compileMaskline(options)
    : { skipped: "not selected" };
  const { name: runtime = "", skipped } = compiled;
  return variants.flatMap(([suffix, vaultIs, variant]) => [
    {
      id: `maskline-deno${suffix}`,
      name: `Maskline, ${vaultIs}`,
      messages,
      schema: "maskline" as const,
      vault: suffix === "",
      program: (course: Course) =>
        programOf(course, variant, Deno.execPath(), [...AS_THE_TASK, `${root}main.ts`]),
    },
    {
      id: `maskline-binary${suffix}`,
      name: `Maskline, ${vaultIs}, compiled${runtime}`,
      skipped,
      messages,
      schema: "maskline" as const,
      vault: suffix === "",
      program: (course: Course) => programOf(course, variant, options.binary, []),
    },
  ]);
}

function programOf(
  course: Course,
  variant: Variant,
  command: string,
  args: readonly string[],
): Program {
  return {
    command,
    args: [...args, "drain"],
    env: { ...settingsOf(course), ...variant(course) },
  };
}

function settingsOf({ endpoint, queueUrl, databaseUrl }: Course): Record<string, string> {
  return {
    SQS_QUEUE_URL: queueUrl,
    DATABASE_URL: databaseUrl,
    MASK_KEY: `k1:${crypto.getRandomValues(new Uint8Array(32)).toBase64()}`,
    HTTP_ADDRESS: "off",
    ...awsVariables(endpoint),
  };
}

/** Compiles the executable for the hosts of this benchmark. Returns the reason if that fails. */
async function compileMaskline(
  { binary, ground, say }: MasklineContestantsOptions,
): Promise<{ name?: string; skipped?: string }> {
  const compiler = await findCompiler();
  if (!compiler) return { skipped: "no denort for `deno compile` on this machine" };
  say("Compiling Maskline");
  const script = fileURLToPath(new URL("../../deploy/compile.ts", import.meta.url));
  const { endpoint } = ground.queues;
  try {
    await compile(compiler, ["run", "--quiet", "-A", script, "--output", binary], {
      SQS_QUEUE_URL: `${endpoint}/000000000000/bench`,
      DATABASE_URL: ground.postgres.url,
      VAULT: "off",
      REJECTED_TO: "queue",
      SQS_DLQ_URL: `${endpoint}/000000000000/bench-dead`,
      ...awsVariables(endpoint),
    }, root);
    return { name: await runtimeOf(compiler) };
  } catch (error) {
    return { skipped: `compiling failed: ${error instanceof Error ? error.message : error}` };
  }
}

/** Names the Deno version in the binary if it differs from the version that runs the benchmark. */
async function runtimeOf(compiler: string): Promise<string> {
  const { stdout } = await new Deno.Command(compiler, { args: ["--version"] }).output();
  const [, version = ""] = /^deno (\S+)/.exec(new TextDecoder().decode(stdout)) ?? [];
  return version === Deno.version.deno ? "" : ` (Deno ${version})`;
}
