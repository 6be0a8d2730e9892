/** What an SQS queue says of itself, in seconds and messages. Counts are approximate, as SQS's are. */
export interface SqsAttributes {
  readonly visibilitySeconds: number;
  readonly retentionSeconds: number;
  readonly visible: number;
  readonly notVisible: number;
  readonly delayed: number;
  /** After how many receives a message goes to a dead-letter queue; undefined without one. */
  readonly maxReceiveCount: number | undefined;
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
    maxReceiveCount: readMaxReceiveCount(attributes["RedrivePolicy"]),
    fifo: attributes["FifoQueue"] === "true",
  };
}

function readMaxReceiveCount(policy: string | undefined): number | undefined {
  if (!policy) return undefined;
  try {
    const { maxReceiveCount } = JSON.parse(policy) as { maxReceiveCount?: unknown };
    const count = Number(maxReceiveCount);
    return Number.isInteger(count) && count > 0 ? count : undefined;
  } catch {
    return undefined;
  }
}
