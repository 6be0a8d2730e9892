import type { Agent } from "node:http";

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
