import { SendMessageBatchCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { Failures } from "./queue.ts";
import { DEADLINE_MARGIN_SECONDS, withDeadline } from "./sqs_client.ts";

/** A rejected message on its way to the queue that takes such. */
export interface DeadLetter {
  readonly id: string;
  readonly body: string;
  readonly reason: string;
  readonly field: string | null;
}

/** The most bytes of one SendMessageBatch, bodies and attributes together, by AWS's API reference. */
const MAX_BYTES = 1_048_576;
/** Names and values of the attributes below, at most; a guess on the safe side. */
const ATTRIBUTE_BYTES = 512;

/** The queue that takes rejected messages as they came, with the reason as message attributes. */
export class DeadLetterQueue {
  readonly #client: SQSClient;
  readonly #url: string;

  constructor(client: SQSClient, url: string) {
    this.#client = client;
    this.#url = url;
  }

  /**
   * Sends rejected messages on. They may arrive twice when an answer gets lost: SQS has no way to ask
   * whether a message is there already, so the original's id goes along as `MasklineMessageId`.
   *
   * @throws {QueueError} nothing is known of some of them; sending again is safe but for the doubling
   */
  async send(letters: readonly DeadLetter[]): Promise<Failures> {
    const failures = new Map<string, string>();
    for (const group of groupBySize(letters)) {
      const answer = await withDeadline(
        "send rejected messages on",
        DEADLINE_MARGIN_SECONDS,
        (abortSignal) => this.#client.send(commandFor(this.#url, group), { abortSignal }),
      );
      const sent = new Set(answer.Successful?.map(({ Id }) => Id));
      group.forEach(({ id }, index) => {
        if (!sent.has(String(index))) failures.set(id, "not_sent");
      });
    }
    return failures;
  }
}

function commandFor(url: string, letters: readonly DeadLetter[]): SendMessageBatchCommand {
  const text = (value: string) => ({ DataType: "String", StringValue: value });
  return new SendMessageBatchCommand({
    QueueUrl: url,
    Entries: letters.map(({ id, body, reason, field }, index) => ({
      Id: String(index),
      MessageBody: body,
      // Attributes count towards the limit: a body that fills it alone is sent on without them.
      ...(bytesOf(body) + ATTRIBUTE_BYTES > MAX_BYTES ? {} : {
        MessageAttributes: {
          MasklineMessageId: text(id),
          MasklineReason: text(reason),
          ...(field ? { MasklineField: text(field) } : {}),
        },
      }),
    })),
  });
}

/** Groups of at most ten and at most 1 MiB; a body that fills the limit alone goes alone. */
function groupBySize(letters: readonly DeadLetter[]): DeadLetter[][] {
  const groups: DeadLetter[][] = [];
  let group: DeadLetter[] = [];
  let bytes = 0;
  for (const letter of letters) {
    const size = bytesOf(letter.body) + ATTRIBUTE_BYTES;
    if (group.length === 10 || (group.length > 0 && bytes + size > MAX_BYTES)) {
      groups.push(group);
      group = [];
      bytes = 0;
    }
    group.push(letter);
    bytes += size;
  }
  if (group.length > 0) groups.push(group);
  return groups;
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
