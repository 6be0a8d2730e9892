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

/** What the three calls that a worker makes all the time are told. */
export interface SqsInputs {
  readonly ReceiveMessage: ReceiveMessageCommandInput;
  readonly DeleteMessageBatch: DeleteMessageBatchCommandInput;
  readonly ChangeMessageVisibilityBatch: ChangeMessageVisibilityBatchCommandInput;
}

/** `ReceiveMessage`, `DeleteMessageBatch`, `ChangeMessageVisibilityBatch` */
export type SqsAction = keyof SqsInputs;

/** How a batch call went, entry by entry. */
export interface BatchAnswer {
  readonly Successful?: readonly { readonly Id?: string | undefined }[] | undefined;
  readonly Failed?:
    | readonly { readonly Id?: string | undefined; readonly Code?: string | undefined }[]
    | undefined;
}

/** What they are answered: SQS leaves out what is empty. */
export interface SqsAnswers {
  readonly ReceiveMessage: { readonly Messages?: readonly Message[] | undefined };
  readonly DeleteMessageBatch: BatchAnswer;
  readonly ChangeMessageVisibilityBatch: BatchAnswer;
}

/** Options of {@linkcode SqsCalls.call}. */
export interface SqsCallOptions {
  /** What the call is for, as its error says it. */
  readonly purpose: string;
  /** After so long the connection is dropped, in seconds. */
  readonly deadlineSeconds: number;
  /** Gives the call up. */
  readonly signal?: AbortSignal;
}

/** Whoever makes the calls: {@linkcode SignedCalls} or, where those cannot, {@linkcode SdkCalls}. */
export interface SqsCalls {
  /** @throws {QueueError} with the code that the SDK gives it, whoever makes the call */
  call<A extends SqsAction>(
    action: A,
    input: SqsInputs[A],
    options: SqsCallOptions,
  ): Promise<SqsAnswers[A]>;

  /** Drops the connections. */
  close(): void;
}

/** How the SDK sends each input; the older protocol is spoken by the SDK alone. */
type Senders = {
  readonly [A in SqsAction]: (input: SqsInputs[A], signal: AbortSignal) => Promise<SqsAnswers[A]>;
};

/** The calls as the SDK makes them, in whatever protocol its client speaks. */
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
