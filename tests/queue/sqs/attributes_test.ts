import { deepStrictEqual, strictEqual } from "node:assert";
import { readAttributes } from "../../../lib/queue/sqs/attributes.ts";

Deno.test("readAttributes() reads every attribute when the queue returns all", () => {
  deepStrictEqual(
    readAttributes({
      VisibilityTimeout: "45",
      MessageRetentionPeriod: "600",
      ApproximateNumberOfMessages: "7",
      ApproximateNumberOfMessagesNotVisible: "8",
      ApproximateNumberOfMessagesDelayed: "9",
      RedrivePolicy: `{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:1:dead","maxReceiveCount":5}`,
      FifoQueue: "true",
    }),
    {
      visibilitySeconds: 45,
      retentionSeconds: 600,
      visible: 7,
      notVisible: 8,
      delayed: 9,
      maxReceiveCount: 5,
      deadLetterArn: "arn:aws:sqs:eu-west-1:1:dead",
      fifo: true,
    },
  );
});

Deno.test("readAttributes() uses the defaults of SQS when the queue returns no attributes", () => {
  deepStrictEqual(readAttributes({}), {
    visibilitySeconds: 30,
    retentionSeconds: 345_600,
    visible: 0,
    notVisible: 0,
    delayed: 0,
    maxReceiveCount: undefined,
    deadLetterArn: undefined,
    fifo: false,
  });
});

Deno.test("readAttributes() returns a lease of one second when the queue's timeout is 0", () => {
  strictEqual(readAttributes({ VisibilityTimeout: "0" }).visibilitySeconds, 1);
});

Deno.test("readAttributes() uses the default when a value is not a number", () => {
  strictEqual(readAttributes({ VisibilityTimeout: "soon" }).visibilitySeconds, 30);
});

Deno.test("readAttributes() reads maxReceiveCount when it is a string", () => {
  const { maxReceiveCount } = readAttributes({ RedrivePolicy: `{"maxReceiveCount":"10"}` });
  strictEqual(maxReceiveCount, 10);
});

Deno.test("readAttributes() returns no maxReceiveCount when the policy has no valid one", () => {
  for (const policy of ["", "{", "{}", `{"maxReceiveCount":0}`, `{"maxReceiveCount":"many"}`]) {
    strictEqual(readAttributes({ RedrivePolicy: policy }).maxReceiveCount, undefined, policy);
  }
});
