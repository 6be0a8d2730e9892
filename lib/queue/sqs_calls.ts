import type {
  ChangeMessageVisibilityBatchCommandInput,
  DeleteMessageBatchCommandInput,
  Message,
  ReceiveMessageCommandInput,
} from "@aws-sdk/client-sqs";

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
