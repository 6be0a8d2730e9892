import { buildApp } from "fauxqs";

/** An SQS-protocol server in this process, with one queue. */
export interface LocalQueue {
  readonly endpoint: string;
  readonly url: string;
  send(body: string): Promise<void>;
  close(): Promise<void>;
}

/** Starts the queue on a free loopback port. All messages are lost on close. */
export async function startLocalQueue(name = "login-queue"): Promise<LocalQueue> {
  // `startFauxqs` is not used, because it listens on all addresses and ignores the given host.
  const app = buildApp({ logger: false });
  const endpoint = await app.listen({ host: "127.0.0.1", port: 0 });
  // The URL that the server returns is not used, because not every machine can resolve its host name.
  const url = `${endpoint}/000000000000/${name}`;
  const call = async (action: string, input: object): Promise<void> => {
    const headers = {
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": `AmazonSQS.${action}`,
    };
    const payload = JSON.stringify(input);
    const { statusCode } = await app.inject({ method: "POST", url: "/", headers, payload });
    if (statusCode !== 200) {
      throw new Error(`Local queue: expected status 200 for ${action}, got ${statusCode}`);
    }
  };
  const deadLetters = `${name}-dead-letters`;
  await call("CreateQueue", {
    QueueName: deadLetters,
    // The maximum of SQS, because the age of a dead letter counts from its first send.
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
