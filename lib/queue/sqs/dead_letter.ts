import {
  SendMessageBatchCommand,
  type SendMessageBatchCommandOutput,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { type DeadLetterQueue, QueueError, type RejectedMessage, type Unsent } from "../queue.ts";
import { DEADLINE_MARGIN_SECONDS, withSdkDeadline } from "./deadline.ts";

/** Maximum bytes of one SendMessageBatch, bodies and attributes together (AWS API reference). */
const MAX_BATCH_BYTES = 1_048_576;
/** Maximum bytes of the attribute names and values below. Conservative estimate, not measured. */
const MAX_ATTRIBUTE_BYTES = 512;

/** Sends rejected messages unchanged, with the reason as message attributes. */
export class SqsDeadLetterQueue implements DeadLetterQueue {
  readonly #client: SQSClient;
  readonly #url: string;

  constructor(client: SQSClient, url: string) {
    this.#client = client;
    this.#url = url;
  }

  /**
   * Sends rejected messages. They may arrive twice if an answer is lost, because SQS cannot report whether
   * a message arrived. The attribute `MasklineMessageId` therefore carries the original message id. For the
   * same reason, a failed call does not throw: the messages of earlier calls must not be resent.
   */
  async send(messages: readonly RejectedMessage[]): Promise<Unsent> {
    const failed = new Map(messages.map(({ id }) => [id, "no_answer"]));
    const refused = new Map<string, string>();
    for (const group of groupBySize(messages)) {
      try {
        const { Successful = [], Failed = [] } = await this.#send(group);
        for (const { Id } of Successful) failed.delete(group[Number(Id)]?.id ?? "");
        for (const { Id, Code = "unknown", SenderFault } of Failed) {
          const { id } = group[Number(Id)] ?? {};
          if (id === undefined) continue;
          if (SenderFault && failed.delete(id)) refused.set(id, Code);
          else failed.set(id, Code);
        }
      } catch (error) {
        if (!(error instanceof QueueError)) throw error;
        // Further calls would wait for the same unavailable queue.
        for (const id of failed.keys()) failed.set(id, error.code);
        break;
      }
    }
    return { failed, refused };
  }

  #send(messages: readonly RejectedMessage[]): Promise<SendMessageBatchCommandOutput> {
    return withSdkDeadline(
      "send rejected messages",
      DEADLINE_MARGIN_SECONDS,
      (abortSignal) => this.#client.send(createSendCommand(this.#url, messages), { abortSignal }),
    );
  }
}

function createSendCommand(
  url: string,
  messages: readonly RejectedMessage[],
): SendMessageBatchCommand {
  const text = (value: string) => ({ DataType: "String", StringValue: value });
  return new SendMessageBatchCommand({
    QueueUrl: url,
    Entries: messages.map(({ id, body, reason, field }, index) => ({
      Id: String(index),
      MessageBody: body,
      // Attributes count towards the limit. A body that fills the limit is sent without them.
      ...(countBytes(body) + MAX_ATTRIBUTE_BYTES > MAX_BATCH_BYTES ? {} : {
        MessageAttributes: {
          MasklineMessageId: text(id),
          MasklineReason: text(reason),
          ...(field ? { MasklineField: text(field) } : {}),
        },
      }),
    })),
  });
}

/** Splits messages into groups of at most ten and at most 1 MiB. A body of the full size gets its own group. */
function groupBySize(messages: readonly RejectedMessage[]): RejectedMessage[][] {
  const groups: RejectedMessage[][] = [];
  let group: RejectedMessage[] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = countBytes(message.body) + MAX_ATTRIBUTE_BYTES;
    if (group.length === 10 || (group.length > 0 && bytes + size > MAX_BATCH_BYTES)) {
      groups.push(group);
      group = [];
      bytes = 0;
    }
    group.push(message);
    bytes += size;
  }
  if (group.length > 0) groups.push(group);
  return groups;
}

function countBytes(text: string): number {
  return new TextEncoder().encode(text).length;
}
