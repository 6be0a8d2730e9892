import { GetQueueAttributesCommand, GetQueueUrlCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { QueueError } from "../queue.ts";
import { readAttributes, type SqsAttributes } from "./attributes.ts";
import { SdkCalls, type SqsCalls } from "./calls.ts";
import { SqsDeadLetterQueue } from "./dead_letter.ts";
import { DEADLINE_MARGIN_SECONDS, withSdkDeadline } from "./deadline.ts";
import { resolveEndpoint } from "./endpoint.ts";
import { createSqsClient, type SqsProtocol } from "./sdk_client.ts";
import { SignedCalls } from "./signed_calls.ts";
import { SqsQueue } from "./sqs_queue.ts";

/** An open queue with its attributes. */
export interface OpenedSqs {
  readonly queue: SqsQueue;
  readonly attributes: SqsAttributes;
  /** Undefined if no queue for rejected messages is configured. */
  readonly deadLetter: SqsDeadLetterQueue | undefined;
}

/** Options of {@linkcode openSqs}. */
export interface OpenSqsOptions {
  readonly url: URL;
  readonly deadLetterUrl?: URL | undefined;
  /** Maximum number of parallel calls; each uses one socket. */
  readonly maxCalls: number;
  /** Default `json`. */
  readonly protocol?: SqsProtocol;
}

/**
 * Opens the queue and reads its attributes. This detects a missing queue or permission early and returns
 * the length of a lease.
 *
 * @throws {QueueError} the queue does not exist, access is denied, or it does not answer
 */
export async function openSqs(
  { url, deadLetterUrl, maxCalls, protocol }: OpenSqsOptions,
): Promise<OpenedSqs> {
  const client = createSqsClient(url, maxCalls, protocol);
  try {
    const attributes = await readQueueAttributes(client, url.href);
    const queue = new SqsQueue({
      calls: protocol === "query"
        ? new SdkCalls(client)
        : await openSignedCalls(client, url.href, maxCalls),
      url: url.href,
      leaseSeconds: attributes.visibilitySeconds,
    });
    const deadLetter = deadLetterUrl
      ? new SqsDeadLetterQueue(client, deadLetterUrl.href)
      : undefined;
    return { queue, attributes, deadLetter };
  } catch (error) {
    client.destroy();
    throw error;
  }
}

async function openSignedCalls(
  client: SQSClient,
  url: string,
  maxSockets: number,
): Promise<SqsCalls> {
  const endpoint = await withSdkDeadline(
    "find the queue's endpoint",
    DEADLINE_MARGIN_SECONDS,
    () => resolveEndpoint(client, url),
  );
  return new SignedCalls({ client, endpoint, maxSockets });
}

async function readQueueAttributes(client: SQSClient, url: string): Promise<SqsAttributes> {
  const command = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["All"] });
  const { Attributes = {} } = await withSdkDeadline(
    "read the queue's attributes",
    DEADLINE_MARGIN_SECONDS,
    (abortSignal) => client.send(command, { abortSignal }),
  );
  const attributes = readAttributes(Attributes);
  const { deadLetterArn } = attributes;
  const seconds = deadLetterArn && await readDeadLetterRetention(client, deadLetterArn);
  return seconds ? { ...attributes, deadLetterRetentionSeconds: seconds } : attributes;
}

/** Time limit for both calls together, in seconds. Estimate, not measured: only a warning needs them. */
const RETENTION_DEADLINE_SECONDS = 3;

/**
 * Returns the retention of the queue with an ARN, in seconds. Returns undefined if access is denied or
 * the queue does not answer. That is no error, because a worker needs no permission on that queue.
 */
export async function readDeadLetterRetention(
  client: SQSClient,
  arn: string,
): Promise<number | undefined> {
  // arn:aws:sqs:<region>:<account>:<name>; a dead-letter queue is always in its source's region.
  const [, , , , QueueOwnerAWSAccountId, QueueName] = arn.split(":");
  try {
    return await withSdkDeadline(
      "read the dead-letter queue's retention",
      RETENTION_DEADLINE_SECONDS,
      async (abortSignal) => {
        const url = new GetQueueUrlCommand({ QueueName, QueueOwnerAWSAccountId });
        const { QueueUrl } = await client.send(url, { abortSignal });
        const AttributeNames = ["MessageRetentionPeriod" as const];
        const read = new GetQueueAttributesCommand({ QueueUrl, AttributeNames });
        const { Attributes } = await client.send(read, { abortSignal });
        return Attributes && readAttributes(Attributes).retentionSeconds;
      },
    );
  } catch (error) {
    if (!(error instanceof QueueError)) throw error;
    return undefined;
  }
}
