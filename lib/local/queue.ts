import { buildApp } from "fauxqs";

/** An SQS-protocol server in this process, with one queue. */
export interface LocalQueue {
  readonly endpoint: string;
  readonly url: string;
  send(body: string): Promise<void>;
  close(): Promise<void>;
}

/** Starts the queue on a free loopback port. Nothing is kept when it closes. */
export async function startLocalQueue(name = "login-queue"): Promise<LocalQueue> {
  // Not `startFauxqs`: that listens on every address of the machine, whatever host it is given.
  const app = buildApp({ logger: false });
  const endpoint = await app.listen({ host: "127.0.0.1", port: 0 });
  // Not the URL that the server itself gives out: its host name is one that not every machine resolves.
  const url = `${endpoint}/000000000000/${name}`;
  const call = async (action: string, input: object): Promise<void> => {
    const headers = {
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": `AmazonSQS.${action}`,
    };
    const payload = JSON.stringify(input);
    const { statusCode } = await app.inject({ method: "POST", url: "/", headers, payload });
    if (statusCode !== 200) throw new Error(`The local queue refused ${action}: ${statusCode}`);
  };
  const deadLetters = `${name}-dead-letters`;
  await call("CreateQueue", {
    QueueName: deadLetters,
    // The longest that SQS offers: a dead letter's age counts from when it was first sent.
    Attributes: { MessageRetentionPeriod: "1209600" },
  });
  const RedrivePolicy = JSON.stringify({
    deadLetterTargetArn: `arn:aws:sqs:us-east-1:000000000000:${deadLetters}`,
    maxReceiveCount: 5,
  });
  const Attributes = { VisibilityTimeout: "60", RedrivePolicy };
  await call("CreateQueue", { QueueName: name, Attributes });
  return {
    endpoint,
    url,
    send: (body) => call("SendMessage", { QueueUrl: url, MessageBody: body }),
    async close() {
      await app.close();
    },
  };
}
