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

/** What came back, whatever its status. */
export interface Answer {
  readonly status: number;
  readonly body: Buffer;
  /** For its headers, which are only made where somebody looks. */
  readonly incoming: IncomingMessage;
}

/** How long a connection may take, in seconds: the SDK's client here has the same. */
const CONNECT_SECONDS = 5;

/**
 * Posts to one endpoint over connections that are kept, and no more of them than `maxSockets`. TLS is
 * what `node:https` makes of it, as with the SDK.
 *
 * Against the SDK's handler it spares the copies of request and answer and the handler's own timers: the
 * caller's scope is the only clock.
 */
export class Poster {
  readonly #agent: HttpAgent;
  readonly #request: typeof requestHttp;
  readonly #options: RequestOptions;
  /** What drops each request that is under way. */
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
   * Sends one request and gives what came back. A request that is given up is never sent again: Deno
   * 2.9.6 would take it for one on a stale connection (see `send_once.ts`), were it still marked as
   * sent on a kept one. What really is stale is sent again by Deno itself.
   *
   * @param headers an object, since Deno 2.7 drops those of a list; with `content-length`
   * @throws the network's error
   */
  post(headers: OutgoingHttpHeaders, body: string, scope: CallScope): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (scope.isOver || this.#closed) return reject(new DOMException("Closed", "AbortError"));
      const request = this.#request({ ...this.#options, headers });
      const drop = () => {
        this.#drops.delete(drop);
        request.reusedSocket = false;
        request.destroy();
        // While it waits for a connection it would tell nobody.
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

  /** Drops what is under way and the connections; nothing further is sent. */
  close(): void {
    this.#closed = true;
    for (const drop of this.#drops) drop();
    this.#agent.destroy();
  }
}

/**
 * Gives up a connection that does not come about in time, so that a host that is gone fails long before
 * the deadline of a long poll. The timer is the connection's: a request on a kept one costs nothing,
 * where the SDK's handler sets some for each request.
 */
export function limitConnectTime(agent: Agent, seconds: number): void {
  const create = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => {
    const socket = create(options, callback);
    if (!socket) return socket;
    const giveUp = () => socket.destroy(new DOMException("No connection in time", "TimeoutError"));
    const timer = setTimeout(giveUp, seconds * 1000);
    const done = () => clearTimeout(timer);
    socket.once("connect", done);
    socket.once("close", done);
    return socket;
  };
}
