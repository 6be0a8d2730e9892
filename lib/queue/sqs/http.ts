import { Buffer } from "node:buffer";
import {
  type Agent,
  Agent as HttpAgent,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request as requestHttp,
  type RequestOptions,
} from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import type { CallScope } from "./deadline.ts";
import type { ResolvedEndpoint } from "./endpoint.ts";

/** The answer to a request, with any status. */
export interface Answer {
  readonly status: number;
  readonly body: Buffer;
  /** Gives access to the headers, which are parsed only on access. */
  readonly incoming: IncomingMessage;
}

/** Time limit for a connection attempt, in seconds: the same as in `sdk_client.ts`. */
const CONNECT_SECONDS = 5;

/**
 * Posts requests to one endpoint over at most `maxSockets` kept-alive connections. TLS uses the defaults
 * of `node:https`, as in the SDK.
 *
 * It avoids the copies of request and answer and the timers of the SDK's handler: the caller's scope
 * supplies the only timer.
 */
export class Poster {
  readonly #agent: HttpAgent;
  readonly #request: typeof requestHttp;
  readonly #options: RequestOptions;
  /** The functions that drop the requests in progress. */
  readonly #drops = new Set<() => void>();
  #closed = false;

  constructor({ protocol, hostname, port, path }: ResolvedEndpoint, maxSockets: number) {
    const secure = protocol === "https:";
    this.#request = secure ? requestHttps : requestHttp;
    this.#agent = new (secure ? HttpsAgent : HttpAgent)({ keepAlive: true, maxSockets });
    limitConnectTime(this.#agent, CONNECT_SECONDS);
    this.#options = { method: "POST", host: hostname, path, agent: this.#agent };
    if (port !== undefined) this.#options.port = port;
  }

  /**
   * Sends one request and returns the answer. A dropped request is never resent. Deno 2.9.6 would resend
   * it as one on a stale connection if it were still marked as sent on a kept one (see `sendOnce()` in
   * `sdk_client.ts`). Deno itself resends requests on connections that are really stale.
   *
   * @param headers an object with `content-length`; Deno 2.7 drops the headers of a list
   * @throws the network error
   */
  post(headers: OutgoingHttpHeaders, body: string, scope: CallScope): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (scope.isOver || this.#closed) return reject(new DOMException("Closed", "AbortError"));
      const request = this.#request({ ...this.#options, headers });
      const drop = () => {
        this.#drops.delete(drop);
        request.reusedSocket = false;
        request.destroy();
        // A destroyed request that still waits for a connection emits no event.
        reject(new DOMException("Dropped", "AbortError"));
      };
      const fail = (error: Error) => {
        this.#drops.delete(drop);
        reject(error);
      };
      this.#drops.add(drop);
      scope.drop = drop;
      request.on("error", fail);
      request.on("response", (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => void chunks.push(chunk));
        incoming.on("error", fail);
        incoming.on("end", () => {
          this.#drops.delete(drop);
          const [first] = chunks;
          const whole = first && chunks.length === 1 ? first : Buffer.concat(chunks);
          resolve({ status: incoming.statusCode ?? 0, body: whole, incoming });
        });
      });
      request.end(body);
    });
  }

  /** Drops the requests in progress, closes the connections and prevents further requests. */
  close(): void {
    this.#closed = true;
    for (const drop of this.#drops) drop();
    this.#agent.destroy();
  }
}

/**
 * Aborts a connection attempt that takes too long. An unreachable host thus fails long before the
 * deadline of a long poll. The timer belongs to the connection, so a request on a kept connection needs
 * none, while the SDK's handler sets several timers per request.
 */
export function limitConnectTime(agent: Agent, seconds: number): void {
  const create = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => {
    const socket = create(options, callback);
    if (!socket) return socket;
    const abort = () => socket.destroy(new DOMException("No connection in time", "TimeoutError"));
    const timer = setTimeout(abort, seconds * 1000);
    const done = () => clearTimeout(timer);
    socket.once("connect", done);
    socket.once("close", done);
    return socket;
  };
}
