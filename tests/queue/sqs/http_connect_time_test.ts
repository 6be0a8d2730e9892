import { ok, strictEqual } from "node:assert";
import { Agent, request } from "node:http";
import { Socket } from "node:net";
import { limitConnectTime } from "../../../lib/queue/sqs/http.ts";
import { readRequest, startRawServer, writeAnswer } from "./raw_server.ts";

function ask(agent: Agent, endpoint: string): Promise<Error | number | undefined> {
  const { hostname, port } = new URL(endpoint);
  return new Promise((resolve) => {
    const asking = request({ agent, hostname, port }, (answer) => {
      answer.resume();
      answer.on("end", () => resolve(answer.statusCode));
    });
    asking.on("error", resolve);
    asking.end();
  });
}

Deno.test("limitConnectTime() fails with a timeout when no connection is established", async () => {
  const agent = new Agent();
  // A connection that is never established, as to a host that drops every packet.
  agent.createConnection = () => Object.assign(new Socket(), { connecting: true });
  limitConnectTime(agent, 0.01);
  const error = await ask(agent, "http://127.0.0.1:1");
  ok(error instanceof Error);
  strictEqual(error.name, "TimeoutError");
  agent.destroy();
});

Deno.test("limitConnectTime() does not end a connection when it is established", async () => {
  const late = Promise.withResolvers<void>();
  await using server = startRawServer(async (conn) => {
    await readRequest(conn);
    await late.promise;
    await writeAnswer(conn, "{}");
  });
  const agent = new Agent();
  // Enough time to connect on a busy machine.
  limitConnectTime(agent, 2);
  const asking = ask(agent, server.endpoint);
  // Its timer would fire before this one.
  setTimeout(late.resolve, 2_010);
  strictEqual(await asking, 200);
  agent.destroy();
});
