import { userInfo } from "node:os";
import { environment } from "../config/read_settings.ts";
import type { Io } from "./command.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = encoder.encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
}

/** Returns the user by its id. USER is not used, because the user can set it to anything. */
function readUserName(): string | null {
  try {
    return userInfo().username;
  } catch {
    return null;
  }
}

/** Creates the Io of the real process. The first SIGINT or SIGTERM requests a stop, a second one ends at once. */
export function createProcessIo(): Io {
  const stopping = new AbortController();
  const onSignal = () => {
    if (stopping.signal.aborted) Deno.exit(1);
    stopping.abort();
  };
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    // Windows has SIGINT only.
    if (Deno.build.os !== "windows" || name === "SIGINT") Deno.addSignalListener(name, onSignal);
  }
  return {
    source: environment,
    out: (text) => writeAll(Deno.stdout, text),
    err: (text) => writeAll(Deno.stderr, text),
    // A byte order mark stays, because a message in the queue keeps it too. `text()` would remove it.
    input: async () => decoder.decode(await new Response(Deno.stdin.readable).bytes()),
    isTerminal: Deno.stderr.isTerminal(),
    user: readUserName,
    signal: stopping.signal,
  };
}
