import { userInfo } from "node:os";
import { environment } from "../config/read_settings.ts";
import type { Io } from "./command.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = encoder.encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
}

/** Not from USER, which says whatever its owner likes. */
function userName(): string | null {
  try {
    return userInfo().username;
  } catch {
    return null;
  }
}

/** The real process. The first SIGINT or SIGTERM asks for a stop, a second one ends at once. */
export function processIo(): Io {
  const stopping = new AbortController();
  const onSignal = () => {
    if (stopping.signal.aborted) Deno.exit(1);
    stopping.abort();
  };
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    // Windows knows SIGINT only.
    if (Deno.build.os !== "windows" || name === "SIGINT") Deno.addSignalListener(name, onSignal);
  }
  return {
    source: environment,
    out: (text) => writeAll(Deno.stdout, text),
    err: (text) => writeAll(Deno.stderr, text),
    // A byte order mark stays: the queue's body would have it too, and `text()` would hide it.
    input: async () => decoder.decode(await new Response(Deno.stdin.readable).bytes()),
    terminal: Deno.stderr.isTerminal(),
    user: userName,
    signal: stopping.signal,
  };
}
