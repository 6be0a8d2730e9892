import { GetQueueAttributesCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { DeadLetterQueue } from "./dead_letter.ts";
import { readDeadLetterRetention } from "./dead_letter_retention.ts";
import { DEADLINE_MARGIN_SECONDS, withSdkDeadline } from "./deadline.ts";
import { resolveEndpoint } from "./resolve_endpoint.ts";
import { SdkCalls } from "./sdk_calls.ts";
import { SignedCalls } from "./signed_calls.ts";
import { SqsQueue } from "./sqs.ts";
import { readAttributes, type SqsAttributes } from "./sqs_attributes.ts";
import type { SqsCalls } from "./sqs_calls.ts";
import { createSqsClient, type SqsProtocol } from "./sqs_client.ts";

/** A queue that is open, with what it says of itself. */
export interface OpenedSqs {
  readonly queue: SqsQueue;
  readonly attributes: SqsAttributes;
  /** Made where a queue for rejected messages is configured. */
  readonly deadLetter: DeadLetterQueue | undefined;
}

/** Options of {@linkcode openSqs}. */
export interface OpenSqsOptions {
  readonly url: URL;
  readonly deadLetterUrl?: URL | undefined;
  /** Calls under way at once; a socket each. */
  readonly maxCalls: number;
  /** Default `json`. */
  readonly protocol?: SqsProtocol;
}

/**
 * Opens the queue and asks for its attributes, which tells early whether it is there, may be read, and
 * how long a lease lasts.
 *
 * @throws {QueueError} it is not there, may not be asked, or does not answer
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
    const deadLetter = deadLetterUrl ? new DeadLetterQueue(client, deadLetterUrl.href) : undefined;
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
