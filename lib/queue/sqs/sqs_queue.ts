import type { Message as SqsMessage } from "@aws-sdk/client-sqs";
import type { Failures, Message, MessageHandle, Queue, ReceiveOptions } from "../queue.ts";
import type { BatchAnswer, SqsCalls } from "./calls.ts";
import { DEADLINE_MARGIN_SECONDS } from "./deadline.ts";

/** Options of {@linkcode SqsQueue}. */
export interface SqsQueueOptions {
  readonly calls: SqsCalls;
  readonly url: string;
  /** For how long a message is hidden once received, in seconds: the queue's visibility timeout. */
  readonly leaseSeconds: number;
}

/** The most entries of one SQS batch call, by AWS's API reference. */
const BATCH_SIZE = 10;

/** An SQS standard queue behind the seam. */
export class SqsQueue implements Queue {
  readonly leaseSeconds: number;
  /** SQS ends every lease 12 hours after the receive (ChangeMessageVisibility). */
  readonly longestLeaseSeconds = 12 * 3_600;
  readonly batchSize = BATCH_SIZE;
  /** The longest wait that SQS offers: the fewest calls while the queue is empty. */
  readonly longestWaitSeconds = 20;
  /** The shortest wait that asks all of SQS's servers, so that "empty" means empty. */
  readonly reliableWaitSeconds = 1;
  /** SQS is a distributed system: one empty answer may be chance. */
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
      // Said with each receive: the lease is then what `leaseSeconds` promises, also where the queue's
      // own timeout is 0 or was changed since.
      VisibilityTimeout: this.leaseSeconds,
      MessageSystemAttributeNames: ["SentTimestamp", "ApproximateReceiveCount"],
    }, {
      purpose: "receive messages",
      deadlineSeconds: waitSeconds + DEADLINE_MARGIN_SECONDS,
      signal,
    });
    return (Messages ?? []).map(toMessage);
  }

  async delete(held: readonly MessageHandle[]): Promise<Failures> {
    const answer = await this.#calls.call("DeleteMessageBatch", {
      QueueUrl: this.#url,
      Entries: held.map(toEntry),
    }, { purpose: "delete messages", deadlineSeconds: DEADLINE_MARGIN_SECONDS });
    return listFailures(held, answer);
  }

  extend(held: readonly MessageHandle[], seconds: number): Promise<Failures> {
    return this.#changeVisibility("extend leases", held, seconds);
  }

  release(held: readonly MessageHandle[], delaySeconds: number): Promise<Failures> {
    return this.#changeVisibility("release messages", held, delaySeconds);
  }

  close(): void {
    this.#calls.close();
  }

  async #changeVisibility(
    purpose: string,
    held: readonly MessageHandle[],
    seconds: number,
  ): Promise<Failures> {
    const answer = await this.#calls.call("ChangeMessageVisibilityBatch", {
      QueueUrl: this.#url,
      Entries: held.map((one, at) => ({ ...toEntry(one, at), VisibilityTimeout: seconds })),
    }, { purpose, deadlineSeconds: DEADLINE_MARGIN_SECONDS });
    return listFailures(held, answer);
  }
}

/** Batch entries are named by their place: an SQS entry id is short and of few characters. */
function toEntry({ handle }: MessageHandle, at: number): { Id: string; ReceiptHandle: string } {
  return { Id: String(at), ReceiptHandle: handle };
}

/** Only an id that came back as successful has succeeded; one that the answer leaves out has not. */
function listFailures(
  held: readonly MessageHandle[],
  { Successful, Failed }: BatchAnswer,
): Failures {
  const codes: (string | undefined)[] = held.map(() => "no_answer");
  for (const { Id } of Successful ?? []) codes[Number(Id)] = undefined;
  for (const { Id, Code } of Failed ?? []) codes[Number(Id)] = Code ?? "unknown";
  const failures = new Map<string, string>();
  for (const [at, { id }] of held.entries()) {
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
    // SQS always tells it when asked; an emulator that does not must not make a date of 1970.
    sentAt: Number.isFinite(sent) && sent > 0 ? sent : Date.now(),
    receiveCount: Number(message.Attributes?.ApproximateReceiveCount ?? 1),
    handle: message.ReceiptHandle ?? "",
  };
}
