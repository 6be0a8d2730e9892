import { OperationError } from "../base/errors.ts";
/** What the HTTP server shows of a worker: numbers only. */
export interface WorkerStatus {
  readonly counters: () => object;
  readonly isStoreUp: () => boolean;
}

/**
 * Serves `/healthz` (200 while the worker lives, with whether the store is up) and `/books` (the
 * counters) as JSON. An outage is no reason to be restarted, so it does not make `/healthz` fail.
 *
 * @throws {OperationError} the address is taken or not this machine's
 */
export function serveHealth(
  address: { hostname: string; port: number },
  shown: WorkerStatus,
): { readonly port: number; close(): Promise<void> } {
  const handler = (request: Request): Response => {
    const { pathname } = new URL(request.url);
    if (request.method !== "GET" && request.method !== "HEAD") {
      return new Response(null, { status: 405 });
    }
    if (pathname === "/healthz") {
      return Response.json({ status: "ok", store: shown.isStoreUp() ? "up" : "away" });
    }
    if (pathname === "/books") return Response.json(shown.counters());
    return new Response("Not found: /healthz and /books are here\n", { status: 404 });
  };
  try {
    const server = Deno.serve({ ...address, onListen: () => {}, onError: answerFailure }, handler);
    return { port: server.addr.port, close: () => server.shutdown() };
  } catch (cause) {
    const { hostname, port } = address;
    throw new OperationError(
      `HTTP_ADDRESS: cannot listen on ${hostname}:${port}; wanted a free address of this machine, or off`,
      { cause },
    );
  }
}

function answerFailure(): Response {
  return new Response(null, { status: 500 });
}
