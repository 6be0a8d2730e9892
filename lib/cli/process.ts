import { userInfo } from "node:os";
import { OperationError } from "../base/errors.ts";
import { environment } from "../config/read_settings.ts";
import { writeToStderr } from "../observe/log.ts";
import { exit, type Io } from "./command.ts";
import { explainFailure } from "./main.ts";

/**
 * Runs the real process and ends it with the status that `work` returns. SIGINT, SIGTERM and SIGHUP request a
 * stop; another one after a second ends the process at once. An error that nothing waits for requests a stop
 * too, and the status is then 1: Deno itself would end the process at once, with messages in flight, and print
 * the error's text, which may quote a value.
 */
export async function runProcess(work: (io: Io) => Promise<number>): Promise<never> {
  const stopping = new AbortController();
  let hasFailed = false;
  const io = createProcessIo(stopping.signal);
  listenForSignals(stopping);
  const fail = (event: Event, error: unknown) => {
    event.preventDefault();
    explainFailure(error, io);
    hasFailed = true;
    stopping.abort();
  };
  addEventListener("unhandledrejection", (event) => fail(event, event.reason));
  addEventListener("error", (event) => fail(event, event.error));
  const status = await work(io);
  Deno.exit(hasFailed && status === exit.done ? exit.failed : status);
}

/**
 * Signals within this time are one request to stop: a terminal sends it to the whole process group, and
 * `deno task` forwards it as well.
 */
const SAME_SIGNAL_MS = 1000;

function listenForSignals(stopping: AbortController): void {
  let firstAt: number | undefined;
  const onSignal = () => {
    firstAt ??= performance.now();
    if (performance.now() - firstAt > SAME_SIGNAL_MS) Deno.exit(exit.failed);
    stopping.abort();
  };
  // Windows has SIGINT only.
  const names: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT"]
    : ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const name of names) Deno.addSignalListener(name, onSignal);
}

function createProcessIo(signal: AbortSignal): Io {
  return {
    source: environment,
    out: writeToStdout,
    err: writeToStderr,
    // A byte order mark stays, because a message in the queue keeps it too. `text()` would remove it.
    input: async () => decoder.decode(await new Response(Deno.stdin.readable).bytes()),
    isTerminal: Deno.stderr.isTerminal(),
    user: readUserName,
    signal,
  };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Writes results to standard output.
 *
 * @throws {OperationError} it was closed, or it cannot take more
 */
function writeToStdout(text: string): void {
  let bytes = encoder.encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
  } catch (cause) {
    const isClosed = cause instanceof Deno.errors.BrokenPipe;
    const why = isClosed ? "its reader has closed it" : "it cannot take more";
    throw new OperationError(`Standard output could not be written: ${why}`, { cause });
  }
}

/** Returns the user by its id. USER is not used, because the user can set it to anything. */
function readUserName(): string | null {
  try {
    return userInfo().username;
  } catch {
    return null;
  }
}
