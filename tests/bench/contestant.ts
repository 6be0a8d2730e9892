import { holdLifeline } from "../support/lifeline.ts";

/** Where a contestant reads its messages and stores its rows. */
export interface Course {
  readonly endpoint: string;
  readonly queueUrl: string;
  /** The same queue for a client of SQS's older protocol. */
  readonly queryEndpoint: string;
  /** The queue for messages that cannot be stored. The benchmark has none. */
  readonly deadLetterUrl: string;
  readonly databaseUrl: string;
}

/** A program to start. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** A program that drains a queue into Postgres, and how to start it. */
export interface Contestant {
  /** For `--only`, and as a name in the JSON. */
  readonly id: string;
  /** The name in the table. */
  readonly name: string;
  /** Why it cannot run on this machine. */
  readonly skipped?: string | undefined;
  readonly messages: number;
  /** The tables that it needs: all of Maskline's, or only the target table. */
  readonly schema: "maskline" | "exercise";
  /** Whether it also seals originals. */
  readonly vault?: boolean;
  program(course: Course): Program;
}

/** A contestant that runs. */
export interface Running extends AsyncDisposable {
  readonly pid: number;
  readonly startedAt: number;
  /** The exit status once it has ended. */
  readonly code: number | undefined;
  /** The last part of its standard error. */
  complaint(): string;
}

/** The environment variables that programs inherit: the locations of their caches and tools. */
const PASSED_ON = ["PATH", "HOME", "DENO_DIR", "XDG_CACHE_HOME", "DENO_TLS_CA_STORE", "TMPDIR"];

/** Starts a contestant. Disposing of it sends SIGTERM and waits until it has ended. */
export function startContestant({ command, args, env }: Program): Running {
  const passedOn = PASSED_ON.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  const startedAt = Date.now();
  const child = new Deno.Command(command, {
    args: [...args],
    clearEnv: true,
    env: { ...Object.fromEntries(passedOn), ...env },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  // Peers poll forever. Without this, one would outlive a benchmark that is killed.
  const held = holdLifeline('kill "$1"', [`${child.pid}`], {});
  let complaint = "";
  let code: number | undefined;
  const ended = Promise.all([
    child.status.then((status) => void (code = status.code)),
    (async () => {
      for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
        complaint = (complaint + text).slice(-2000);
      }
    })(),
  ]);
  return {
    pid: child.pid,
    startedAt,
    get code() {
      return code;
    },
    complaint: () => complaint,
    async [Symbol.asyncDispose]() {
      await held.release();
      await ended;
    },
  };
}
