/** A TCP proxy on loopback that can mistreat what passes through it. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** Cuts every connection at once, with a reset where the system allows. */
  cut(): void;
  /** The next answers of the server are cut after so many bytes: in the midst of a message. */
  cutAfter(bytes: number): void;
  /** From now on nothing passes and nothing is closed, as behind a dead network. */
  blackHole: boolean;
  /** Each piece waits for this long, in milliseconds. */
  delay: number;
  /** Connections that were cut so far. */
  readonly cuts: number;
}

/** Starts a proxy to a port of this machine. */
export function startTcpProxy(upstreamPort: number): TcpProxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const pairs = new Set<() => void>();
  let budget = Infinity;
  let cuts = 0;
  const proxy: TcpProxy = {
    port: listener.addr.port,
    blackHole: false,
    delay: 0,
    get cuts() {
      return cuts;
    },
    cut() {
      for (const close of pairs) close();
    },
    cutAfter(bytes) {
      budget = bytes;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      proxy.cut();
      await accepting;
    },
  };
  const pump = async (from: Deno.Conn, to: Deno.Conn, close: () => void, answers: boolean) => {
    const buffer = new Uint8Array(65_536);
    try {
      for (;;) {
        const count = await from.read(buffer);
        if (count === null) return;
        // Swallowed for good: bytes that were under way when the network died do not come later.
        if (proxy.blackHole) continue;
        if (proxy.delay > 0) await new Promise((resolve) => setTimeout(resolve, proxy.delay));
        const allowed = answers ? Math.min(count, budget) : count;
        let piece = buffer.subarray(0, allowed);
        while (piece.length > 0) piece = piece.subarray(await to.write(piece));
        if (!answers || budget === Infinity) continue;
        budget -= allowed;
        if (budget > 0) continue;
        budget = Infinity;
        return;
      }
    } catch {
      // One end is gone; the other follows.
    } finally {
      close();
    }
  };
  const serve = async (client: Deno.Conn) => {
    const server = await Deno.connect({ hostname: "127.0.0.1", port: upstreamPort })
      .catch(() => undefined);
    if (!server) return client.close();
    const close = () => {
      if (!pairs.delete(close)) return;
      cuts++;
      client.close();
      server.close();
    };
    pairs.add(close);
    await Promise.all([pump(client, server, close, false), pump(server, client, close, true)]);
  };
  const accepting = (async () => {
    const serving: Promise<void>[] = [];
    try {
      for await (const client of listener) serving.push(serve(client));
    } catch {
      // The listener was closed.
    }
    await Promise.all(serving);
  })();
  return proxy;
}
