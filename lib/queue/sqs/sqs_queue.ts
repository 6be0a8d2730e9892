import type { Message as SqsMessage } from "@aws-sdk/client-sqs";
import type { Failures, Message, MessageHandle, Queue, ReceiveOptions } from "../queue.ts";
import type { BatchAnswer, SqsCalls } from "./calls.ts";
import { DEADLINE_MARGIN_SECONDS } from "./deadline.ts";

/** Options of {@linkcode SqsQueue}. */
export interface SqsQueueOptions {
  readonly calls: SqsCalls;
  readonly url: string;
  /** How long a received message is hidden, in seconds: the queue's visibility timeout. */
  readonly leaseSeconds: number;
}

/** Maximum entries of one SQS batch call (AWS API reference). */
const BATCH_SIZE = 10;

/** Implements {@linkcode Queue} for an SQS standard queue. */
export class SqsQueue implements Queue {
  readonly leaseSeconds: number;
  /** SQS ends every lease 12 hours after the receive (ChangeMessageVisibility). */
  readonly longestLeaseSeconds = 12 * 3_600;
  readonly batchSize = BATCH_SIZE;
  /** Maximum wait of SQS. It causes the fewest calls while the queue is empty. */
  readonly longestWaitSeconds = 20;
  /** Minimum wait that queries all SQS servers, so that an empty answer is reliable. */
  readonly reliableWaitSeconds = 1;
  /** SQS is a distributed system, so one empty answer is not certain. */
  readonly emptyReceivesWhenDrained = 2;
  readonly #calls: SqsCalls;
  readonly #url: string;

  constructor({ calls, url, leaseSeconds }: SqsQueueOptions) {
    this.#calls = calls;
    this.#url = url;
    this.leaseSeconds = leaseSeconds;
  }

  async receive({ waitSeconds, signal }: ReceiveOptions): Promise<Message[]> {
    const { Messages } = await this.#calls.call("ReceiveMessage", {
      QueueUrl: this.#url,
      MaxNumberOfMessages: BATCH_SIZE,
      WaitTimeSeconds: waitSeconds,
      // Sent with each receive, so that the lease is `leaseSeconds` even if the queue's own timeout is 0
      // or was changed meanwhile.
      VisibilityTimeout: this.leaseSeconds,
      MessageSystemAttributeNames: ["SentTimestamp", "ApproximateReceiveCount"],
    }, {
      purpose: "receive messages",
      deadlineSeconds: waitSeconds + DEADLINE_MARGIN_SECONDS,
      signal,
    });
    return (Messages ?? []).map(toMessage);
  }

  async delete(messages: readonly MessageHandle[]): Promise<Failures> {
    const answer = await this.#calls.call("DeleteMessageBatch", {
      QueueUrl: this.#url,
      Entries: messages.map(toEntry),
    }, { purpose: "delete messages", deadlineSeconds: DEADLINE_MARGIN_SECONDS });
    return listFailures(messages, answer);
  }

  extend(messages: readonly MessageHandle[], seconds: number): Promise<Failures> {
    return this.#changeVisibility("extend leases", messages, seconds);
  }

  release(messages: readonly MessageHandle[], delaySeconds: number): Promise<Failures> {
    return this.#changeVisibility("release messages", messages, delaySeconds);
  }

  close(): void {
    this.#calls.close();
  }

  async #changeVisibility(
    purpose: string,
    messages: readonly MessageHandle[],
    seconds: number,
  ): Promise<Failures> {
    const answer = await this.#calls.call("ChangeMessageVisibilityBatch", {
      QueueUrl: this.#url,
      Entries: messages.map((message, at) => ({
        ...toEntry(message, at),
        VisibilityTimeout: seconds,
      })),
    }, { purpose, deadlineSeconds: DEADLINE_MARGIN_SECONDS });
    return listFailures(messages, answer);
  }
}

/** Creates a batch entry whose id is its index. SQS limits the length and characters of entry ids. */
function toEntry({ handle }: MessageHandle, at: number): { Id: string; ReceiptHandle: string } {
  return { Id: String(at), ReceiptHandle: handle };
}

/** Lists the ids that the answer does not confirm as successful. */
function listFailures(
  messages: readonly MessageHandle[],
  { Successful, Failed }: BatchAnswer,
): Failures {
  const codes: (string | undefined)[] = messages.map(() => "no_answer");
  for (const { Id } of Successful ?? []) codes[Number(Id)] = undefined;
  for (const { Id, Code } of Failed ?? []) codes[Number(Id)] = Code ?? "unknown";
  const failures = new Map<string, string>();
  for (const [at, { id }] of messages.entries()) {
    const code = codes[at];
    if (code !== undefined) failures.set(id, code);
  }
  return failures;
}

function toMessage(message: SqsMessage): Message {
  const sent = Number(message.Attributes?.SentTimestamp);
  return {
    id: message.MessageId ?? "",
    body: message.Body ?? "",
    // SQS always sends it on request. An emulator that omits it must not cause a date in 1970.
    sentAt: Number.isFinite(sent) && sent > 0 ? sent : Date.now(),
    receiveCount: Number(message.Attributes?.ApproximateReceiveCount ?? 1),
    handle: message.ReceiptHandle ?? "",
  };
}
