import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { type CountersSnapshot, isBalanced } from "../../lib/pipeline/counters.ts";
import { createLine, type Line, type LineOptions } from "./line.ts";
import type { MasklineProcess } from "./maskline.ts";
import { compareWith, numberedMessages, sentAs } from "./numbered_messages.ts";
import { lastBooks, until } from "./progress.ts";
import type { TestQueue } from "./queue_server.ts";

/** Options of {@linkcode createFragileLine}. */
export interface FragileLineOptions extends Omit<LineOptions, "queueAttributes" | "unmigrated"> {
  /** The lease, in seconds. Default 4. */
  readonly leaseSeconds?: number;
  /** The number of receives after which a message goes to the dead-letter queue. Default 3. */
  readonly maxReceiveCount?: number;
}

/** A line whose queue soon moves a message to the dead letters, and which remembers what was sent. */
export interface FragileLine extends Line {
  /** The dead-letter queue. */
  readonly deadLetters: TestQueue;
  /** Sends the next `count` numbered messages and returns their ids. */
  sendNext(count: number): Promise<string[]>;
  /** How many were sent. */
  readonly sent: number;
  /** Waits until all messages are in the ledger and the queue is empty. */
  untilDone(): Promise<void>;
  /**
   * Waits until all is done, then fails unless each event is one row, each bad message one rejection
   * and nothing became a dead letter.
   */
  expectDelivered(): Promise<void>;
  /**
   * Does the same, and fails unless the worker, the only one, ends with 0 at SIGTERM and its books match.
   */
  expectDeliveredBy(worker: MasklineProcess): Promise<CountersSnapshot>;
}

/** Creates a line with a short lease and a dead-letter queue. */
export async function createFragileLine(options: FragileLineOptions): Promise<FragileLine> {
  const { postgres, queues, leaseSeconds = 4, maxReceiveCount = 3 } = options;
  const deadLetters = await queues.createQueue();
  const line = await createLine({
    postgres,
    queues,
    queueAttributes: {
      VisibilityTimeout: String(leaseSeconds),
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadLetters.arn, maxReceiveCount }),
    },
  });
  const ids: string[] = [];
  const untilDone = async () => {
    await until(() => line.count(), ({ ledger }) => ledger >= ids.length);
    // Messages that a worker could not delete are redelivered when the lease expires, and deleted then.
    await until(() => line.queue.inspect(), ({ ready, inflight }) => ready + inflight === 0);
  };
  const expectDelivered = async () => {
    await untilDone();
    const { events, bad } = sentAs(ids);
    deepStrictEqual(await line.count(), {
      rows: events,
      rejected: bad.length,
      ledger: ids.length,
    });
    deepStrictEqual(await compareWith(line.database, ids), { lost: 0, doubled: 0 });
    deepStrictEqual(await deadLetters.inspect(), { ready: 0, inflight: 0, delayed: 0 });
  };
  return {
    ...line,
    deadLetters,
    get sent() {
      return ids.length;
    },
    async sendNext(count) {
      const sent = await line.queue.send(numberedMessages(count, ids.length));
      ids.push(...sent);
      return sent;
    },
    untilDone,
    expectDelivered,
    async expectDeliveredBy(worker) {
      await expectDelivered();
      worker.kill("SIGTERM");
      const { code, err } = await worker.ended;
      strictEqual(code, 0, err);
      const books = lastBooks(err);
      ok(isBalanced(books) && books.inFlight === 0, JSON.stringify(books));
      const { events, bad } = sentAs(ids);
      deepStrictEqual([books.committed, books.rejected], [events, bad.length], err);
      return books;
    },
  };
}
