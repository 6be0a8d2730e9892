import { computeLongestBatchSeconds } from "../../../lib/worker/worker.ts";
import { deepStrictEqual, match, strictEqual } from "node:assert";
import { readSettings } from "../../../lib/config/read_settings.ts";
import { findQueueWarnings, type SqsAttributes } from "../../../lib/queue/sqs/attributes.ts";
import { fakeSource } from "../../support/fake_io.ts";

/** The attributes of a queue without warnings. */
const fine: SqsAttributes = {
  visibilitySeconds: 60,
  retentionSeconds: 345_600,
  visible: 0,
  notVisible: 0,
  delayed: 0,
  maxReceiveCount: 5,
  deadLetterArn: "arn:aws:sqs:eu-west-1:1:dead",
  deadLetterRetentionSeconds: 1_209_600,
  fifo: false,
};

function warn(more: Partial<SqsAttributes>, settings: Record<string, string> = {}): string[] {
  return findQueueWarnings(
    { ...fine, ...more },
    computeLongestBatchSeconds(readSettings(fakeSource(settings), [])),
  );
}

/** Expects one warning and returns it. */
function only(more: Partial<SqsAttributes>, settings: Record<string, string> = {}): string {
  const warnings = warn(more, settings);
  strictEqual(warnings.length, 1, warnings.join("\n"));
  return warnings[0] ?? "";
}

Deno.test("findQueueWarnings() returns nothing when every attribute is fine", () => {
  deepStrictEqual(warn({}), []);
});

Deno.test("findQueueWarnings() warns when the queue is FIFO", () => {
  match(only({ fifo: true }), /^The queue is FIFO/);
});

Deno.test("findQueueWarnings() warns when the queue has no redrive policy", () => {
  match(only({ maxReceiveCount: undefined }), /has no redrive policy/);
});

Deno.test("findQueueWarnings() warns when a lease is not longer than a batch may take", () => {
  // A batch takes up to BATCH_MILLISECONDS and STATEMENT_SECONDS: 0.2 + 15 s by default.
  match(only({ visibilitySeconds: 15 }), /visibility timeout is 15 s, .* take \(15\.2 s\)/);
  deepStrictEqual(warn({ visibilitySeconds: 16 }), []);
});

Deno.test("findQueueWarnings() computes a batch's time from the settings when it may take longer", () => {
  const settings = { BATCH_MILLISECONDS: "5000", STATEMENT_SECONDS: "60" };
  match(only({ visibilitySeconds: 65 }, settings), /is 65 s, .* take \(65 s\)/);
  deepStrictEqual(warn({ visibilitySeconds: 66 }, settings), []);
});

Deno.test("findQueueWarnings() warns when the number of messages in flight is near the queue's limit", () => {
  deepStrictEqual(warn({ notVisible: 110_000 }), []);
  match(only({ notVisible: 110_001 }), /has 110001 messages in flight/);
});

Deno.test("findQueueWarnings() warns when the dead-letter queue keeps messages no longer than the queue", () => {
  for (const deadLetterRetentionSeconds of [60, 345_599, 345_600]) {
    match(
      only({ deadLetterRetentionSeconds }),
      /^The dead-letter queue keeps messages for \d+ s, not longer than the queue \(345600 s\)/,
    );
  }
  deepStrictEqual(warn({ deadLetterRetentionSeconds: 345_601 }), []);
});

Deno.test("findQueueWarnings() does not mention the dead-letter queue when its retention is unknown", () => {
  const { deadLetterRetentionSeconds: _, ...unasked } = fine;
  deepStrictEqual(
    findQueueWarnings(unasked, computeLongestBatchSeconds(readSettings(fakeSource(), []))),
    [],
  );
});

Deno.test("findQueueWarnings() returns all warnings when there are several", () => {
  const wrong = { fifo: true, maxReceiveCount: undefined, visibilitySeconds: 1, notVisible: 1e6 };
  strictEqual(warn({ ...wrong, deadLetterRetentionSeconds: 60 }).length, 5);
});
