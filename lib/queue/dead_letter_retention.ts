import { GetQueueAttributesCommand, GetQueueUrlCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { QueueError } from "./queue.ts";
import { readAttributes } from "./sqs_attributes.ts";
import { withSdkDeadline } from "./deadline.ts";

/** For both calls together, in seconds. A guess: it is asked at the start, for the sake of a warning. */
const RETENTION_DEADLINE_SECONDS = 3;

/**
 * How long the queue of an ARN keeps a message, in seconds; undefined where it may not be asked or does
 * not answer, which is no fault: a worker needs no right on that queue.
 */
export async function readDeadLetterRetention(
  client: SQSClient,
  arn: string,
): Promise<number | undefined> {
  // arn:aws:sqs:<region>:<account>:<name>; a dead-letter queue is always in its source's region.
  const [, , , , QueueOwnerAWSAccountId, QueueName] = arn.split(":");
  try {
    return await withSdkDeadline(
      "ask for the dead-letter queue's retention",
      RETENTION_DEADLINE_SECONDS,
      async (abortSignal) => {
        const url = new GetQueueUrlCommand({ QueueName, QueueOwnerAWSAccountId });
        const { QueueUrl } = await client.send(url, { abortSignal });
        const AttributeNames = ["MessageRetentionPeriod" as const];
        const ask = new GetQueueAttributesCommand({ QueueUrl, AttributeNames });
        const { Attributes } = await client.send(ask, { abortSignal });
        return Attributes && readAttributes(Attributes).retentionSeconds;
      },
    );
  } catch (error) {
    if (!(error instanceof QueueError)) throw error;
    return undefined;
  }
}
