import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { withSdkDeadline } from "./deadline.ts";
import type { SqsAction, SqsAnswers, SqsCallOptions, SqsCalls, SqsInputs } from "./sqs_calls.ts";

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
