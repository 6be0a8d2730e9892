/**
 * The runner behind `deno task test`: one Postgres for all test files, then `deno test` with the
 * arguments given (paths, `--filter`, …), then one line with the counts.
 *
 * @module
 */

import { startPostgres } from "./postgres_server.ts";
import { readSummary } from "./test_summary.ts";

const signals: Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT"]
  : ["SIGINT", "SIGTERM", "SIGHUP"];

if (import.meta.main) Deno.exit(await runTests(Deno.args));

/** Runs the tests and gives the exit status. */
async function runTests(args: readonly string[]): Promise<number> {
  const interrupted = new AbortController();
  // From here on a signal no longer ends this process, so that it lives to stop Postgres.
  for (const signal of signals) Deno.addSignalListener(signal, () => interrupted.abort());
  const given = Deno.env.get("MASKLINE_TEST_POSTGRES_URL");
  if (given) return await denoTest(args, given, interrupted.signal);
  try {
    await using server = await startPostgres();
    return await denoTest(args, server.url, interrupted.signal);
  } catch (error) {
    print(Deno.stderr, `${error instanceof Error ? error.message : error}\n`);
    return 1;
  }
}

async function denoTest(
  args: readonly string[],
  postgresUrl: string,
  interrupted: AbortSignal,
): Promise<number> {
  if (interrupted.aborted) return 130;
  const paths = args.some(namesPath) ? [] : ["--ignore=tests/bench", "tests/"];
  const colored = Deno.stdout.isTerminal() && !Deno.noColor;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "--quiet", "-A", ...args, ...paths],
    env: {
      MASKLINE_TEST_POSTGRES_URL: postgresUrl,
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
    // The summary stands near the end, after it at most the name of each failed test.
    tail = (tail + decoder.decode(chunk, { stream: true })).slice(-100_000);
  }
  const { code } = await child.status;
  const summary = readSummary(tail);
  if (summary) print(Deno.stdout, `${summary}\n`);
  return code;
}

function terminate(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGTERM");
  } catch {
    // It has ended: Ctrl-C reaches it too.
  }
}

/** Whether an argument is a path: one that is there, since the value of `--filter` seldom is. */
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
