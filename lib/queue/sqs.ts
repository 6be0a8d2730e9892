import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  type Message as SqsMessage,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import type { Failures, Held, Message, Queue, ReceiveOptions } from "./queue.ts";
import { DEADLINE_MARGIN_SECONDS, withDeadline } from "./sqs_client.ts";

/** Options of {@linkcode SqsQueue}. */
export interface SqsQueueOptions {
  readonly client: SQSClient;
  readonly url: string;
  /** For how long a message is hidden once received, in seconds: the queue's visibility timeout. */
  readonly leaseSeconds: number;
}

/** The most entries of one SQS batch call, by AWS's API reference. */
const BATCH_SIZE = 10;

/** An SQS standard queue behind the seam. */
export class SqsQueue implements Queue {
  readonly leaseSeconds: number;
  readonly batchSize = BATCH_SIZE;
  readonly #client: SQSClient;
  readonly #url: string;

  constructor({ client, url, leaseSeconds }: SqsQueueOptions) {
    this.#client = client;
    this.#url = url;
    this.leaseSeconds = leaseSeconds;
  }

  async receive({ waitSeconds, signal }: ReceiveOptions): Promise<Message[]> {
    const command = new ReceiveMessageCommand({
      QueueUrl: this.#url,
      MaxNumberOfMessages: BATCH_SIZE,
      WaitTimeSeconds: waitSeconds,
      // Said with each receive: the lease is then what `leaseSeconds` promises, also where the queue's
      // own timeout is 0 or was changed since.
      VisibilityTimeout: this.leaseSeconds,
      MessageSystemAttributeNames: ["SentTimestamp", "ApproximateReceiveCount"],
    });
    const { Messages = [] } = await withDeadline(
      "receive messages",
      waitSeconds + DEADLINE_MARGIN_SECONDS,
      (abortSignal) => this.#client.send(command, { abortSignal }),
      signal,
    );
    return Messages.map(toMessage);
  }

  async delete(held: readonly Held[]): Promise<Failures> {
    const command = new DeleteMessageBatchCommand({
      QueueUrl: this.#url,
      Entries: entriesOf(held),
    });
    const answer = await withDeadline(
      "delete messages",
      DEADLINE_MARGIN_SECONDS,
      (abortSignal) => this.#client.send(command, { abortSignal }),
    );
    return failuresOf(held, answer);
  }

  extend(held: readonly Held[], seconds: number): Promise<Failures> {
    return this.#changeVisibility("extend leases", held, seconds);
  }

  release(held: readonly Held[], delaySeconds: number): Promise<Failures> {
    return this.#changeVisibility("release messages", held, delaySeconds);
  }

  close(): void {
    this.#client.destroy();
  }

  async #changeVisibility(
    action: string,
    held: readonly Held[],
    seconds: number,
  ): Promise<Failures> {
    const command = new ChangeMessageVisibilityBatchCommand({
      QueueUrl: this.#url,
      Entries: entriesOf(held).map((entry) => ({ ...entry, VisibilityTimeout: seconds })),
    });
    const answer = await withDeadline(
      action,
      DEADLINE_MARGIN_SECONDS,
      (abortSignal) => this.#client.send(command, { abortSignal }),
    );
    return failuresOf(held, answer);
  }
}

/** Batch entries are named by their place: an SQS entry id is short and of few characters. */
function entriesOf(held: readonly Held[]): { Id: string; ReceiptHandle: string }[] {
  return held.map(({ handle }, index) => ({ Id: String(index), ReceiptHandle: handle }));
}

/** Only an id that came back as successful has succeeded; one that the answer leaves out has not. */
function failuresOf(
  held: readonly Held[],
  answer: {
    Successful?: { Id?: string | undefined }[] | undefined;
    Failed?: { Id?: string | undefined; Code?: string | undefined }[] | undefined;
  },
): Failures {
  const failures = new Map(held.map(({ id }) => [id, "no_answer"]));
  for (const { Id } of answer.Successful ?? []) {
    const done = held[Number(Id)];
    if (done) failures.delete(done.id);
  }
  for (const { Id, Code } of answer.Failed ?? []) {
    const failed = held[Number(Id)];
    if (failed) failures.set(failed.id, Code ?? "unknown");
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
