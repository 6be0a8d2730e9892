/** What an SQS queue says of itself, in seconds and messages. Counts are approximate, as SQS's are. */
export interface SqsAttributes {
  readonly visibilitySeconds: number;
  readonly retentionSeconds: number;
  readonly visible: number;
  readonly notVisible: number;
  readonly delayed: number;
  /** After how many receives a message goes to a dead-letter queue; undefined without one. */
  readonly maxReceiveCount: number | undefined;
  /** That queue's ARN. */
  readonly deadLetterArn: string | undefined;
  /** How long that queue keeps a message; only where it could be asked. */
  readonly deadLetterRetentionSeconds?: number;
  readonly fifo: boolean;
}

/** Reads the answer of GetQueueAttributes; what an emulator leaves out gets SQS's own default. */
export function readAttributes(attributes: Readonly<Record<string, string>>): SqsAttributes {
  const number = (name: string, fallback: number) => {
    const value = Number(attributes[name] ?? NaN);
    return Number.isFinite(value) ? value : fallback;
  };
  return {
    // Zero would hand every message out again at once; the lease is then the shortest that can be kept.
    visibilitySeconds: Math.max(1, number("VisibilityTimeout", 30)),
    retentionSeconds: number("MessageRetentionPeriod", 345_600),
    visible: number("ApproximateNumberOfMessages", 0),
    notVisible: number("ApproximateNumberOfMessagesNotVisible", 0),
    delayed: number("ApproximateNumberOfMessagesDelayed", 0),
    ...readRedrivePolicy(attributes["RedrivePolicy"]),
    fifo: attributes["FifoQueue"] === "true",
  };
}

function readRedrivePolicy(
  policy: string | undefined,
): Pick<SqsAttributes, "maxReceiveCount" | "deadLetterArn"> {
  const { maxReceiveCount, deadLetterTargetArn: arn } = parseObject(policy);
  const count = Number(maxReceiveCount);
  return {
    maxReceiveCount: Number.isInteger(count) && count > 0 ? count : undefined,
    deadLetterArn: typeof arn === "string" ? arn : undefined,
  };
}

function parseObject(text = "{}"): Record<string, unknown> {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

/** What of a queue's own attributes makes trouble later, a sentence each; none where all is well. */
export function findQueueWarnings(attributes: SqsAttributes, batchSeconds: number): string[] {
  const warnings: string[] = [];
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
