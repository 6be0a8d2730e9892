/**
 * Runs `deno task test`: starts one Postgres with one migrated template for all test files, runs `deno
 * test` with the arguments given (paths, `--filter`, …), and prints one line with the counts.
 *
 * It runs in two parts: first most files, several at a time, then {@linkcode ALONE}, one after the other.
 *
 * @module
 */

import { glob } from "node:fs/promises";
import { join, relative } from "node:path";
import { startPostgres } from "./postgres_server.ts";
import { createTemplate } from "./template.ts";
import { addCounts, type Counts, formatCounts, readSummary } from "./test_summary.ts";

/**
 * Files that run one after the other when all others have ended. A test that waits for a state does not
 * belong here, because it can wait longer on a busy machine.
 */
const ALONE: readonly string[] = [
  // They measure memory, the times at which leases are extended, and the duration of a stop.
  "tests/delivery/idle_test.ts",
  "tests/delivery/leases_test.ts",
  "tests/delivery/stop_test.ts",
  // It keeps both cores busy with 50,000 rows, which would delay the others.
  "tests/custody/rotate/rotate_live_test.ts",
  // They change the environment, which all files of one process share.
  "tests/queue/sqs/endpoint_test.ts",
  "tests/queue/sqs/query_protocol_test.ts",
  "tests/queue/sqs/sdk_client_send_once_test.ts",
  "tests/queue/sqs/sdk_client_test.ts",
];

/**
 * How many files run at a time unless DENO_JOBS says so: most tests wait for a process, a lease or
 * Postgres, so there is room for more of them than there are cores. On two cores 3 took 203 s, 4 took
 * 143 s and 6 took 127 s, of which 30 s are for {@linkcode ALONE} (measured).
 */
const JOBS = 3 * navigator.hardwareConcurrency;

const signals: Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT"]
  : ["SIGINT", "SIGTERM", "SIGHUP"];

if (import.meta.main) Deno.exit(await runTests(Deno.args));

/** Runs the tests and returns the exit status. */
async function runTests(args: readonly string[]): Promise<number> {
  const interrupted = new AbortController();
  // From here on a signal no longer ends this process, so that it can stop Postgres.
  for (const signal of signals) Deno.addSignalListener(signal, () => interrupted.abort());
  try {
    const given = Deno.env.get("MASKLINE_TEST_POSTGRES_URL");
    await using server = given ? undefined : await startPostgres();
    const postgresUrl = server?.url ?? given ?? "";
    await using template = await createTemplate(postgresUrl);
    const env = {
      MASKLINE_TEST_POSTGRES_URL: postgresUrl,
      MASKLINE_TEST_TEMPLATE: template.name,
    };
    return await runParts(args, env, interrupted.signal);
  } catch (error) {
    print(Deno.stderr, `${error instanceof Error ? error.message : error}\n`);
    return 1;
  }
}

async function runParts(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  interrupted: AbortSignal,
): Promise<number> {
  const flags = args.filter((arg) => !namesPath(arg));
  const files = await findTests(args.filter(namesPath));
  const parts = [
    { files: files.filter((file) => !ALONE.includes(file)), flags: ["--parallel", ...flags] },
    { files: files.filter((file) => ALONE.includes(file)), flags },
  ].filter(({ files }) => files.length > 0);
  if (parts.length === 0) {
    throw new Error("Expected a path with a test file, got none. Name a test file or its folder.");
  }
  let status = 0;
  let counts: Counts | undefined;
  for (const part of parts) {
    if (interrupted.aborted) return 130;
    const ended = await denoTest([...part.flags, ...part.files], env, interrupted);
    status ||= ended.code;
    counts = addCounts(counts, ended.counts);
  }
  if (counts) print(Deno.stdout, `${formatCounts(counts)}\n`);
  return status;
}

/** Finds the test files in these folders or for these globs. Finds all test files if there are none. */
async function findTests(paths: readonly string[]): Promise<string[]> {
  const files = new Set<string>();
  for (const path of paths.length > 0 ? paths : ["tests"]) {
    const isFolder = (await Deno.stat(path).catch(() => undefined))?.isDirectory;
    const pattern = isFolder ? join(path, "**/*_test.ts") : path;
    for await (const file of glob(pattern)) files.add(relative(".", file));
  }
  const missing = ALONE.filter((file) => paths.length === 0 && !files.has(file));
  if (missing.length > 0) {
    throw new Error(`ALONE names files that do not exist: ${missing.join(", ")}`);
  }
  // The slowest first, or one of them could begin last, when the other jobs have nothing left to run.
  const rank = (file: string) => file.includes("/delivery/") ? 0 : 1;
  return [...files].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

/** Runs `deno test`, shows what it prints, and reads the counts from that. */
async function denoTest(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  interrupted: AbortSignal,
): Promise<{ code: number; counts: Counts | undefined }> {
  const colored = Deno.stdout.isTerminal() && !Deno.noColor;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "--quiet", "-A", ...args],
    env: {
      DENO_JOBS: String(JOBS),
      ...Deno.env.toObject(),
      ...env,
      // Its output is a pipe, because the counts are read from it.
      ...(colored ? { FORCE_COLOR: "1" } : {}),
    },
    stdout: "piped",
  }).spawn();
  interrupted.addEventListener("abort", () => terminate(child));

  const decoder = new TextDecoder();
  let tail = "";
  for await (const chunk of child.stdout) {
    print(Deno.stdout, chunk);
    // The summary is near the end. At most the name of each failed test comes after it.
    tail = (tail + decoder.decode(chunk, { stream: true })).slice(-100_000);
  }
  const { code } = await child.status;
  return { code, counts: readSummary(tail) };
}

function terminate(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGTERM");
  } catch {
    // It has ended: Ctrl-C reaches it too.
  }
}

/** Whether an argument is an existing path or a glob. The value of `--filter` rarely is one. */
function namesPath(arg: string): boolean {
  if (arg.startsWith("-")) return false;
  try {
    Deno.statSync(arg);
    return true;
  } catch {
    return /[*?{]/.test(arg); // A glob that the shell left to Deno.
  }
}

function print(stream: typeof Deno.stdout, text: string | Uint8Array): void {
  let bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
}
