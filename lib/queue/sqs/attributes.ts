/** The attributes of an SQS queue, in seconds and messages. The counts are approximate, as in SQS. */
export interface SqsAttributes {
  readonly visibilitySeconds: number;
  readonly retentionSeconds: number;
  readonly visible: number;
  readonly notVisible: number;
  readonly delayed: number;
  /** Number of receives after which a message goes to the dead-letter queue; undefined if none. */
  readonly maxReceiveCount: number | undefined;
  /** The ARN of the dead-letter queue. */
  readonly deadLetterArn: string | undefined;
  /** Retention of the dead-letter queue; undefined if it could not be read. */
  readonly deadLetterRetentionSeconds?: number;
  readonly fifo: boolean;
}

/** Parses the answer of GetQueueAttributes. An attribute that an emulator omits gets SQS's default. */
export function readAttributes(attributes: Readonly<Record<string, string>>): SqsAttributes {
  const number = (name: string, fallback: number) => {
    const value = Number(attributes[name] ?? NaN);
    return Number.isFinite(value) ? value : fallback;
  };
  return {
    // Zero would redeliver every message at once. The lease is then one second, the minimum.
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

/** Returns a warning for each attribute that can cause problems later. */
export function findQueueWarnings(attributes: SqsAttributes, batchSeconds: number): string[] {
  const warnings: string[] = [];
  if (attributes.fifo) {
    warnings.push(
      "The queue is FIFO: Maskline keeps no order, and its ledger already removes duplicates. " +
        "Use a standard queue",
    );
  }
  if (attributes.maxReceiveCount === undefined) {
    warnings.push(
      "The queue has no redrive policy: a message that cannot be processed is redelivered until it " +
        "expires. Configure a dead-letter queue",
    );
  }
  const { retentionSeconds, deadLetterRetentionSeconds = Infinity } = attributes;
  // A moved message keeps its original send time, so its age counts from the first queue.
  if (deadLetterRetentionSeconds <= retentionSeconds) {
    warnings.push(
      `The dead-letter queue keeps messages for ${deadLetterRetentionSeconds} s, not longer than the ` +
        `queue (${retentionSeconds} s): a message that is moved late may expire at once. ` +
        "Increase the retention of the dead-letter queue",
    );
  }
  if (attributes.visibilitySeconds <= batchSeconds) {
    warnings.push(
      `The queue's visibility timeout is ${attributes.visibilitySeconds} s, not longer than a batch may ` +
        `take (${batchSeconds} s): messages may be redelivered while they are being committed. ` +
        "Increase the visibility timeout",
    );
  }
  // SQS returns no messages while this many are in flight, which looks like an empty queue.
  if (attributes.notVisible > 110_000) {
    warnings.push(
      `The queue has ${attributes.notVisible} messages in flight. SQS delivers none beyond 120,000`,
    );
  }
  return warnings;
}
