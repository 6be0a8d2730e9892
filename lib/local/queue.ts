import { startFauxqs } from "fauxqs";

/** An SQS-protocol server in this process, with one queue. */
export interface LocalQueue {
  readonly endpoint: string;
  readonly url: string;
  send(body: string): void;
  close(): Promise<void>;
}

/** Starts the queue on a free loopback port. Nothing is kept when it closes. */
export async function startLocalQueue(name = "login-queue"): Promise<LocalQueue> {
  const server = await startFauxqs({ port: 0, host: "127.0.0.1", logger: false });
  server.createQueue("login-dead-letters");
  server.createQueue(name, {
    attributes: {
      VisibilityTimeout: "60",
      RedrivePolicy: JSON.stringify({
        deadLetterTargetArn: "arn:aws:sqs:us-east-1:000000000000:login-dead-letters",
        maxReceiveCount: "5",
      }),
    },
  });
  // Not the URL that the server itself gives out: its host name is one that not every machine resolves.
  const endpoint = `http://127.0.0.1:${server.port}`;
  return {
    endpoint,
    url: `${endpoint}/000000000000/${name}`,
    send: (body) => void server.sendMessage(name, body),
    close: () => server.stop(),
  };
}
