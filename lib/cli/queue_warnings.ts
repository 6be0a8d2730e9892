import type { Settings } from "../config/read_settings.ts";
import type { SqsAttributes } from "../queue/sqs_attributes.ts";

/** What of a queue's own attributes makes trouble later, a sentence each; none where all is well. */
export function findQueueWarnings(attributes: SqsAttributes, settings: Settings): string[] {
  const warnings: string[] = [];
  const batchSeconds = settings.BATCH_MILLISECONDS / 1000 + settings.STATEMENT_SECONDS;
  if (attributes.fifo) {
    warnings.push(
      "The queue is FIFO: Maskline keeps no order, and its ledger already removes doubles",
    );
  }
  if (attributes.maxReceiveCount === undefined) {
    warnings.push(
      "The queue has no redrive policy: a message that cannot be handled would come for ever",
    );
  }
  const { retentionSeconds, deadLetterRetentionSeconds = Infinity } = attributes;
  // A message that is moved keeps the time at which it was sent, so its days in both queues count.
  if (deadLetterRetentionSeconds <= retentionSeconds) {
    warnings.push(
      `The dead-letter queue keeps messages for ${deadLetterRetentionSeconds} s, not longer than the ` +
        `queue does (${retentionSeconds} s): what is moved there late may be gone at once`,
    );
  }
  if (attributes.visibilitySeconds <= batchSeconds) {
    warnings.push(
      `The queue's visibility timeout is ${attributes.visibilitySeconds} s, not longer than a batch may ` +
        `take (${batchSeconds} s): messages may come again while they are committed`,
    );
  }
  // SQS answers long polls with nothing while this many are in flight, which looks like an idle queue.
  if (attributes.notVisible > 110_000) {
    warnings.push(
      `The queue has ${attributes.notVisible} messages in flight, and hands out none beyond 120,000`,
    );
  }
  return warnings;
}
