import type { Agent } from "node:http";

/**
 * Keeps an agent from sending a request again that was given up. On a kept connection Deno 2.9.6 takes
 * our own giving up for a stale connection and sends the request once more
 * (https://github.com/denoland/deno/issues/36786): a receive whose answer nobody reads takes ten
 * messages, hides them for a lease and uses one of their receipts up. What really is stale is still
 * sent again.
 */
export function sendOnce<A extends Agent>(agent: A): A {
  const reuse = agent.reuseSocket.bind(agent);
  agent.reuseSocket = (socket, request) => {
    reuse(socket, request);
    const destroy = request.destroy.bind(request);
    request.destroy = (error) => {
      request.reusedSocket = false;
      return destroy(error);
    };
  };
  return agent;
}
