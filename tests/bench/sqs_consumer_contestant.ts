import { fileURLToPath } from "node:url";
import { homedir } from "node:os";
import { awsVariables } from "../support/line.ts";
import type { Contestant, Course } from "./contestant.ts";

/**
 * The newest version that also runs on Node 20. The SDK and the driver have the versions that Maskline
 * uses, so that the programs differ only in how they use them.
 */
export const NODE_PACKAGES = {
  "sqs-consumer": "14.2.8",
  "@aws-sdk/client-sqs": "3.1169.0",
  "pg": "8.23.1",
} as const;

const script = fileURLToPath(new URL("peers/sqs_consumer.mjs", import.meta.url));

/** Creates the contestant for `sqs-consumer` and `pg` on Node. npm installs both outside of this repository. */
export async function sqsConsumerContestant(
  messages: number,
  say: (line: string) => void,
): Promise<Contestant> {
  const directory = `${cacheDirectory()}/node-${NODE_PACKAGES["sqs-consumer"]}`;
  return {
    id: "sqs-consumer",
    name: "sqs-consumer + pg on Node",
    skipped: await nodeProblem() ?? await installPackages(directory, say),
    messages,
    schema: "exercise",
    program: ({ endpoint, queueUrl, databaseUrl }: Course) => ({
      command: "node",
      args: [script],
      env: {
        ...awsVariables(endpoint),
        QUEUE_URL: queueUrl,
        DATABASE_URL: databaseUrl,
        PACKAGES: `${directory}/package.json`,
        NODE_ENV: "production",
      },
    }),
  };
}

function cacheDirectory(): string {
  return `${Deno.env.get("XDG_CACHE_HOME") ?? `${homedir()}/.cache`}/maskline-bench`;
}

async function nodeProblem(): Promise<string | undefined> {
  try {
    const { stdout } = await new Deno.Command("node", { args: ["--version"] }).output();
    const version = new TextDecoder().decode(stdout).trim();
    return Number(/^v(\d+)/.exec(version)?.[1]) >= 20 ? undefined : `Node ${version} is too old`;
  } catch {
    return "no `node`";
  }
}

/** Installs the packages once. Returns the reason if that fails. */
async function installPackages(
  directory: string,
  say: (line: string) => void,
): Promise<string | undefined> {
  const manifest = JSON.stringify({ private: true, dependencies: NODE_PACKAGES });
  const mark = `${directory}/installed.json`;
  if (await Deno.readTextFile(mark).catch(() => "") === manifest) return undefined;
  say("Installing sqs-consumer");
  await Deno.mkdir(directory, { recursive: true });
  await Deno.writeTextFile(`${directory}/package.json`, manifest);
  try {
    const { success, stderr } = await new Deno.Command("npm", {
      args: ["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"],
      cwd: directory,
      // A registry that does not answer must not delay the other contestants.
      signal: AbortSignal.timeout(120_000),
    }).output();
    if (!success) return `npm failed: ${new TextDecoder().decode(stderr).trim().slice(-200)}`;
  } catch {
    return "no `npm`";
  }
  // The mark is written last, so that a partly installed directory is installed again.
  await Deno.writeTextFile(mark, manifest);
  return undefined;
}
