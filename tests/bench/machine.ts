import { cpus, release, totalmem } from "node:os";
import type { Ground } from "./measure.ts";
import { NODE_PACKAGES } from "./sqs_consumer_contestant.ts";

/** The machine of a measurement, and the versions of the programs. */
export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly deno: string;
  readonly postgres: string;
  readonly node: string;
  readonly python: string;
  readonly packages: Readonly<Record<string, string>>;
  readonly date: string;
}

/** Reads the machine's data and the programs' versions. A missing program has the version `none`. */
export async function describeMachine({ postgres }: Ground): Promise<Machine> {
  const [cpu] = cpus();
  await using database = await postgres.createDatabase("bench");
  const [row] = await database.query<{ server_version: string }>("SHOW server_version");
  return {
    cores: navigator.hardwareConcurrency,
    cpu: cpu?.model ?? "unknown",
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    deno: Deno.version.deno,
    postgres: row?.server_version.split(" ")[0] ?? "unknown",
    node: await outputOf("node", ["--version"]),
    python: await outputOf("/usr/bin/python3", [
      "-c",
      "import platform, boto3, psycopg2\n" +
      "print(platform.python_version(), 'boto3', boto3.__version__, 'psycopg2'," +
      " psycopg2.__version__.split()[0])",
    ]),
    packages: NODE_PACKAGES,
    date: new Date().toISOString().slice(0, 10),
  };
}

/** Formats the machine as one line. */
export function machineLine(machine: Machine): string {
  const packages = Object.entries(machine.packages).map(([name, version]) => `${name} ${version}`);
  return [
    `${machine.cores} cores (${machine.cpu})`,
    `${machine.memoryGiB} GiB`,
    `Linux ${machine.kernel}`,
    `Deno ${machine.deno}`,
    `Postgres ${machine.postgres} (fsync off)`,
    `Node ${machine.node} (${packages.join(", ")})`,
    `Python ${machine.python}`,
    machine.date,
  ].join("; ");
}

async function outputOf(command: string, args: string[]): Promise<string> {
  try {
    const { stdout, success } = await new Deno.Command(command, { args }).output();
    const text = new TextDecoder().decode(stdout).trim();
    return success ? text.replace(/^v/, "") : "none";
  } catch {
    return "none";
  }
}
