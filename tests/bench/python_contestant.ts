import { fileURLToPath } from "node:url";
import { awsVariables } from "../support/line.ts";
import type { Contestant, Course } from "./contestant.ts";

/** Debian's Python, because `python3-boto3` and `python3-psycopg2` install there. */
const PYTHON = "/usr/bin/python3";
const script = fileURLToPath(new URL("peers/row_by_row.py", import.meta.url));

/** Creates the contestant for the exercise's program, which stores one row at a time. */
export async function pythonContestant(messages: number): Promise<Contestant> {
  return {
    id: "python",
    name: "Python, row by row",
    skipped: await describeMissing(),
    messages,
    schema: "exercise",
    program: ({ queryEndpoint, queueUrl, databaseUrl }: Course) => ({
      command: PYTHON,
      args: [script],
      env: {
        ...awsVariables(queryEndpoint),
        // Debian's boto3 reads neither AWS_REGION nor AWS_ENDPOINT_URL_SQS.
        AWS_DEFAULT_REGION: "us-east-1",
        ENDPOINT_URL: queryEndpoint,
        // The older protocol sends each call to the queue's own address.
        QUEUE_URL: queryEndpoint + new URL(queueUrl).pathname,
        DATABASE_URL: databaseUrl,
      },
    }),
  };
}

async function describeMissing(): Promise<string | undefined> {
  const code = "import importlib.util as u\n" +
    "print(*[f'python3-{m}' for m in ('boto3', 'psycopg2') if u.find_spec(m) is None])";
  try {
    const { stdout, success } = await new Deno.Command(PYTHON, { args: ["-c", code] }).output();
    const missing = new TextDecoder().decode(stdout).trim();
    if (success) return missing ? `run \`apt-get install ${missing}\` first` : undefined;
  } catch {
    // Reported below.
  }
  return `no ${PYTHON}`;
}
