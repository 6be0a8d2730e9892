/** Serves a connection of a test: reads from it and writes to it. */
export type Serve = (conn: Deno.Conn, number: number) => Promise<void>;

/** A server on bare TCP, for faults that an HTTP server does not produce. */
export interface RawServer extends AsyncDisposable {
  readonly endpoint: string;
  /** Number of connections so far. */
  readonly connections: number;
  /** Closes the connections on the server's side. */
  cut(): void;
}

/** Starts a server that serves each connection until `serve` returns, throws, or the test is over. */
export function startRawServer(serve: Serve): RawServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  let connections = 0;
  const close = (conn: Deno.Conn) => {
    if (open.delete(conn)) conn.close();
  };
  const cut = () => {
    for (const conn of open) close(conn);
  };
  const accepting = (async () => {
    const serving: Promise<void>[] = [];
    try {
      for await (const conn of listener) {
        open.add(conn);
        serving.push(serve(conn, ++connections).catch(() => {}).finally(() => close(conn)));
      }
    } catch {
      // The listener was closed.
    }
    await Promise.all(serving);
  })();
  return {
    endpoint: `http://127.0.0.1:${listener.addr.port}`,
    get connections() {
      return connections;
    },
    cut,
    async [Symbol.asyncDispose]() {
      listener.close();
      cut();
      await accepting;
    },
  };
}

/** Reads one request with its body. Returns undefined if the client has closed. */
export async function readRequest(conn: Deno.Conn): Promise<string | undefined> {
  const buffer = new Uint8Array(65_536);
  let text = "";
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) return undefined;
    text += new TextDecoder().decode(buffer.subarray(0, count));
    const [head = "", body] = text.split("\r\n\r\n");
    const [, length = "0"] = /\r\ncontent-length: (\d+)/i.exec(head) ?? [];
    if (body !== undefined && body.length >= Number(length)) return text;
  }
}

/** Writes an answer in HTTP/1.1. */
export async function writeAnswer(
  conn: Deno.Conn,
  body: string,
  { status = 200, length = body.length, headers = "" } = {},
): Promise<void> {
  const head = `HTTP/1.1 ${status} X\r\ncontent-length: ${length}\r\n${headers}\r\n`;
  const bytes = new TextEncoder().encode(head + body);
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}
