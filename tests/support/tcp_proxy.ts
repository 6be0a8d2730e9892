/** A TCP proxy on loopback that can cut, delay and swallow the data that it forwards. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** Cuts every connection at once, with a reset where the system allows. */
  cut(): void;
  /** Cuts the server's next answers after this many bytes, in the middle of a message. */
  cutAfter(bytes: number): void;
  /** While true, no data passes and no connection is closed, as on a dead network. */
  blackHole: boolean;
  /** The delay of each piece of data, in milliseconds. */
  delay: number;
  /** Connections that were cut so far. */
  readonly cuts: number;
  /** Connections that are open. */
  readonly connections: number;
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
    get connections() {
      return pairs.size;
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
        // Dropped: data that was under way when the network died does not arrive later.
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
      // One end was closed, so the other is closed too.
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
