import { systemClock, withTimeout } from "../base/clock.ts";
import { OperationError } from "../base/errors.ts";

/** The parts of a worker's state that the HTTP server exposes: numbers only. */
export interface WorkerStatus {
  readonly counters: () => object;
  readonly isStoreUp: () => boolean;
}

/** How long a close waits for requests in progress. An estimate, not measured: answers take a millisecond. */
const CLOSE_TIMEOUT_MS = 500;

/**
 * Serves `/healthz` (200 while the worker runs, with the state of the store) and `/books` (the counters)
 * as JSON. A restart does not end an outage, so an outage does not make `/healthz` fail.
 *
 * @throws {OperationError} the address is in use or does not belong to this machine
 */
export function serveHealth(
  address: { hostname: string; port: number },
  status: WorkerStatus,
): { readonly port: number; close(): Promise<void> } {
  const handler = (request: Request): Response => {
    const { pathname } = new URL(request.url);
    if (request.method !== "GET" && request.method !== "HEAD") {
      return new Response(null, { status: 405 });
    }
    if (pathname === "/healthz") {
      return Response.json({ status: "ok", store: status.isStoreUp() ? "up" : "unavailable" });
    }
    if (pathname === "/books") return Response.json(status.counters());
    return new Response("Not found. Available paths: /healthz, /books\n", { status: 404 });
  };
  try {
    const server = Deno.serve({ ...address, onListen: () => {}, onError: answerFailure }, handler);
    return {
      port: server.addr.port,
      // A client that never finishes its request would hold up the exit, which drops its connection.
      close: () => withTimeout(server.shutdown(), CLOSE_TIMEOUT_MS, systemClock).then(() => {}),
    };
  } catch (cause) {
    const { hostname, port } = address;
    throw new OperationError(
      `HTTP_ADDRESS: cannot listen on ${hostname}:${port}. Set a free address of this machine, or off`,
      { cause },
    );
  }
}

function answerFailure(): Response {
  return new Response(null, { status: 500 });
}
