import { createTestQueue, type Post, type QueueServer, startQueueServer } from "./queue_server.ts";

/**
 * Starts a queue server in a process of its own, for tests and benchmarks that must not share their
 * event loop with it. It ends with `close()`, and always with this process.
 */
export async function startQueueProcess(): Promise<QueueServer> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", import.meta.filename ?? import.meta.url],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const endpoint = `http://127.0.0.1:${await readPort(child)}`;
  // A test run ends when its tests do, whether or not the server still runs.
  child.unref();
  const post: Post = async (headers, body) => {
    const response = await fetch(endpoint, { method: "POST", headers, body });
    return { status: response.status, body: await response.text() };
  };
  let closed: Promise<Deno.CommandStatus> | undefined;
  const close = async () => {
    if (!closed) {
      child.ref();
      closed = child.stdin.close().then(() => child.status);
    }
    await closed;
  };
  return {
    endpoint,
    createQueue: (name, attributes) => createTestQueue(endpoint, post, name, attributes),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Reads the line that the child prints, which can arrive in pieces. */
async function readPort(child: Deno.ChildProcess): Promise<number> {
  let text = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (!text.includes("\n")) continue;
    const { port }: { port: number } = JSON.parse(text);
    return port;
  }
  const { code } = await child.status;
  throw new Error(`Queue process ended with ${code} before it printed its port`);
}

if (import.meta.main) {
  const server = await startQueueServer();
  const line = JSON.stringify({ port: Number(new URL(server.endpoint).port) });
  await Deno.stdout.write(new TextEncoder().encode(`${line}\n`));
  // The parent's end of this pipe closes when the parent closes this server, or dies.
  for await (const _ of Deno.stdin.readable);
  Deno.exit(0);
}
