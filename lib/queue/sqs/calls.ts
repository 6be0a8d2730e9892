import {
  ChangeMessageVisibilityBatchCommand,
  type ChangeMessageVisibilityBatchCommandInput,
  DeleteMessageBatchCommand,
  type DeleteMessageBatchCommandInput,
  type Message,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { withSdkDeadline } from "./deadline.ts";

/** The inputs of the three frequent calls of a worker. */
export interface SqsInputs {
  readonly ReceiveMessage: ReceiveMessageCommandInput;
  readonly DeleteMessageBatch: DeleteMessageBatchCommandInput;
  readonly ChangeMessageVisibilityBatch: ChangeMessageVisibilityBatchCommandInput;
}

/** `ReceiveMessage`, `DeleteMessageBatch`, `ChangeMessageVisibilityBatch` */
export type SqsAction = keyof SqsInputs;

/** The answer to a batch call, entry by entry. */
export interface BatchAnswer {
  readonly Successful?: readonly { readonly Id?: string | undefined }[] | undefined;
  readonly Failed?:
    | readonly { readonly Id?: string | undefined; readonly Code?: string | undefined }[]
    | undefined;
}

/** The answers to the calls. SQS omits empty parts. */
export interface SqsAnswers {
  readonly ReceiveMessage: { readonly Messages?: readonly Message[] | undefined };
  readonly DeleteMessageBatch: BatchAnswer;
  readonly ChangeMessageVisibilityBatch: BatchAnswer;
}

/** Options of {@linkcode SqsCalls.call}. */
export interface SqsCallOptions {
  /** The purpose of the call, as its error names it. */
  readonly purpose: string;
  /** Time after which the connection is dropped, in seconds. */
  readonly deadlineSeconds: number;
  /** Aborts the call. */
  readonly signal?: AbortSignal;
}

/** The frequent calls: by {@linkcode SignedCalls}, or by {@linkcode SdkCalls} for the query protocol. */
export interface SqsCalls {
  /** @throws {QueueError} with the SDK's error code, in both implementations */
  call<A extends SqsAction>(
    action: A,
    input: SqsInputs[A],
    options: SqsCallOptions,
  ): Promise<SqsAnswers[A]>;

  /** Closes the connections. */
  close(): void;
}

/** The SDK's function for each call. Only the SDK implements the query protocol. */
type Senders = {
  readonly [A in SqsAction]: (input: SqsInputs[A], signal: AbortSignal) => Promise<SqsAnswers[A]>;
};

/** Makes the calls through the SDK, in the protocol of its client. */
export class SdkCalls implements SqsCalls {
  readonly #client: SQSClient;
  readonly #senders: Senders;

  constructor(client: SQSClient) {
    this.#client = client;
    this.#senders = {
      ReceiveMessage: (input, abortSignal) =>
        client.send(new ReceiveMessageCommand(input), { abortSignal }),
      DeleteMessageBatch: (input, abortSignal) =>
        client.send(new DeleteMessageBatchCommand(input), { abortSignal }),
      ChangeMessageVisibilityBatch: (input, abortSignal) =>
        client.send(new ChangeMessageVisibilityBatchCommand(input), { abortSignal }),
    };
  }

  call<A extends SqsAction>(
    action: A,
    input: SqsInputs[A],
    { purpose, deadlineSeconds, signal }: SqsCallOptions,
  ): Promise<SqsAnswers[A]> {
    const send = this.#senders[action];
    return withSdkDeadline(purpose, deadlineSeconds, (abort) => send(input, abort), signal);
  }

  close(): void {
    this.#client.destroy();
  }
}
