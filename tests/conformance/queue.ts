import { deepStrictEqual, notStrictEqual, ok, rejects, strictEqual } from "node:assert";
import { type Message, type Queue, QueueError } from "../../lib/queue/queue.ts";

/** A queue of one test, and what the suite needs around it. Disposing of it closes both. */
export interface QueueUnderTest extends AsyncDisposable {
  readonly queue: Queue;
  /** Sends messages as a producer does, and gives their ids in the order of the bodies. */
  send(bodies: readonly string[]): Promise<string[]>;
  /** Lets so many seconds pass for the leases; a queue that keeps real time waits for them. */
  advance(seconds: number): Promise<void>;
  /** From now on no call reaches the queue, until the answer is called. */
  goAway(): () => void;
}

/** By so much the suite waits longer than for a lease, on clocks that are not quite one: an estimate. */
const SLACK_SECONDS = 0.5;

/**
 * Registers the tests that every {@linkcode Queue} must pass, for each sentence of its interface. One is
 * left to each queue's own tests: that a receive has a deadline, which would take five real seconds.
 *
 * @param name what the tests are called after, such as `SqsQueue, json`
 * @param open opens an empty queue; one that keeps real time should have a lease of a few seconds
 */
export function testQueue(name: string, open: () => Promise<QueueUnderTest>): void {
  const test = (what: string, work: (line: Held) => Promise<void>) => {
    Deno.test(`${what} (${name})`, async () => {
      await using opened = await open();
      await work({ ...opened, ...helpers(opened) });
    });
  };

  test("a queue's properties fit together", async ({ queue }) => {
    ok(queue.leaseSeconds > 0 && queue.leaseSeconds <= queue.longestLeaseSeconds);
    ok(Number.isInteger(queue.batchSize) && queue.batchSize >= 1);
    ok(queue.longestWaitSeconds >= queue.reliableWaitSeconds && queue.reliableWaitSeconds >= 0);
    ok(Number.isInteger(queue.emptyReceivesWhenDrained) && queue.emptyReceivesWhenDrained >= 1);
  });

  test("receive() gives id, body, time sent, receive count and handle", async (line) => {
    const [id] = await line.send(["hello ✓"]);
    const message = await line.receiveOne();
    deepStrictEqual([message.id, message.body, message.receiveCount], [id, "hello ✓", 1]);
    // A date of this century, in milliseconds: seconds would be one of 1970.
    ok(message.sentAt > Date.UTC(2000, 0) && message.sentAt < Date.UTC(2100, 0));
    strictEqual(typeof message.handle, "string");
  });

  test("receive() gives nothing when nothing is there", async (line) => {
    deepStrictEqual(await line.receive(), []);
  });

  test("receive() gives every message once, and never more than batchSize at a time", async (line) => {
    const { batchSize } = line.queue;
    const ids = await line.send(numbers(2 * batchSize + 1));
    const messages = await line.receiveAll(ids.length);
    deepStrictEqual(messages.map(({ id }) => id).toSorted(), ids.toSorted());
    deepStrictEqual(await line.receive(), []);
  });

  test("receive() gives no message to two calls that are under way at once", async (line) => {
    const ids = await line.send(numbers(line.queue.batchSize + 2));
    const answers = await Promise.all([line.receive(), line.receive(), line.receive()]);
    const received = answers.flat().map(({ id }) => id);
    // A receive may give fewer than there are.
    strictEqual(new Set(received).size, received.length);
    ok(received.every((id) => ids.includes(id)));
  });

  test("receive() waits for a message that is sent meanwhile", async (line) => {
    const waitSeconds = Math.min(5, line.queue.longestWaitSeconds);
    const receiving = line.receive(waitSeconds);
    const [id] = await line.send(["late"]);
    deepStrictEqual((await receiving).map(({ id }) => id), [id]);
  });

  test("receive() ends empty when the wait is over", async (line) => {
    const receiving = line.receive(1);
    await line.advance(1);
    deepStrictEqual(await receiving, []);
  });

  test("receive() fails, and takes nothing for good, when it is given up", async (line) => {
    const stop = new AbortController();
    const receiving = line.queue.receive({
      waitSeconds: line.queue.longestWaitSeconds,
      signal: stop.signal,
    });
    stop.abort();
    await rejects(receiving, { name: "QueueError" });
    const [id] = await line.send(["after"]);
    let messages = await line.receive();
    if (messages.length === 0) {
      await line.endLeases();
      messages = await line.receive();
    }
    deepStrictEqual(messages.map(({ id }) => id), [id]);
  });

  test("receive() fails when it was given up before it began", async (line) => {
    const [id] = await line.send(["hello"]);
    await rejects(
      line.queue.receive({ waitSeconds: 0, signal: AbortSignal.abort() }),
      { name: "QueueError" },
    );
    strictEqual((await line.receiveOne()).id, id);
  });

  test("a lease hides a message, and it is redelivered when the lease is over", async (line) => {
    await line.send(["hello"]);
    const first = await line.receiveOne();
    deepStrictEqual(await line.receive(), []);
    await line.endLeases();
    const second = await line.receiveOne();
    deepStrictEqual([second.id, second.body, second.sentAt], [first.id, first.body, first.sentAt]);
    strictEqual(second.receiveCount, 2);
    notStrictEqual(second.handle, first.handle);
  });

  test("the newest handle of a message works after a redelivery", async (line) => {
    await line.send(["hello"]);
    await line.receiveOne();
    await line.endLeases();
    const newest = await line.receiveOne();
    strictEqual((await line.queue.extend([newest], line.queue.leaseSeconds)).size, 0);
    strictEqual((await line.queue.delete([newest])).size, 0);
    await line.endLeases();
    deepStrictEqual(await line.receive(), []);
  });

  test("delete() removes messages for good, and leaves the others", async (line) => {
    await line.send(["a", "b", "c"]);
    const [one, two, three] = await line.receiveAll(3);
    strictEqual((await line.queue.delete([one, three])).size, 0);
    await line.endLeases();
    deepStrictEqual((await line.receiveAll(1)).map(({ id }) => id), [two.id]);
  });

  test("delete() does no harm when it is called twice", async (line) => {
    await line.send(["a", "b"]);
    const [one, two] = await line.receiveAll(2);
    await line.queue.delete([one]);
    // Whether the second is a failure is left to the queue.
    strictEqual((await line.queue.delete([one, two])).has(two.id), false);
    await line.endLeases();
    deepStrictEqual(await line.receive(), []);
  });

  for (const call of ["delete", "extend", "release"] as const) {
    test(`${call}() takes batchSize messages at a time`, async (line) => {
      const { batchSize, leaseSeconds } = line.queue;
      await line.send(numbers(batchSize));
      const messages = await line.receiveAll(batchSize);
      const failures = call === "delete"
        ? await line.queue.delete(messages)
        : await line.queue[call](messages, call === "extend" ? leaseSeconds : 0);
      deepStrictEqual([...failures], []);
    });

    test(`${call}() fails, may be tried again, and helps later when the queue is away`, async (line) => {
      const { leaseSeconds } = line.queue;
      await line.send(["secret-4711"]);
      const messages = [await line.receiveOne()];
      const act = () =>
        call === "delete"
          ? line.queue.delete(messages)
          : line.queue[call](messages, call === "extend" ? leaseSeconds : 0);
      const comeBack = line.goAway();
      for (let attempt = 0; attempt < 2; attempt++) await failsTransiently(act(), "secret-4711");
      comeBack();
      strictEqual((await act()).size, 0);
    });
  }

  test("receive() fails, may be tried again, and helps later when the queue is away", async (line) => {
    const [id] = await line.send(["secret-4711"]);
    const comeBack = line.goAway();
    for (let attempt = 0; attempt < 2; attempt++) await failsTransiently(line.receive(), id);
    comeBack();
    strictEqual((await line.receiveOne()).id, id);
  });

  for (const call of ["extend", "release"] as const) {
    test(`${call}() names the message that is gone, with a code, and does it for the others`, async (line) => {
      await line.send(["secret-4711", "kept"]);
      const messages = await line.receiveAll(2);
      const gone = messages.find(({ body }) => body !== "kept") ?? fail();
      const kept = messages.find(({ body }) => body === "kept") ?? fail();
      await line.queue.delete([gone]);
      const seconds = call === "extend" ? 3 * line.queue.leaseSeconds : 0;
      const failures = await line.queue[call]([gone, kept], seconds);
      deepStrictEqual([...failures.keys()], [gone.id]);
      const code = failures.get(gone.id) ?? "";
      ok(code.length > 0 && !code.includes("secret") && !code.includes(gone.handle), code);
      if (call === "extend") {
        await line.endLeases();
        deepStrictEqual(await line.receive(), []);
      } else strictEqual((await line.receiveOne()).id, kept.id);
    });
  }

  test("extend() hides messages for so many seconds from now on, whatever was left", async (line) => {
    const { leaseSeconds } = line.queue;
    await line.send(["longer", "shorter"]);
    const messages = await line.receiveAll(2);
    const longer = messages.filter(({ body }) => body === "longer");
    await line.advance(leaseSeconds / 2);
    strictEqual((await line.queue.extend(longer, 2 * leaseSeconds)).size, 0);
    await line.advance(leaseSeconds / 2 + SLACK_SECONDS);
    deepStrictEqual((await line.receiveAll(1)).map(({ body }) => body), ["shorter"]);
    // Of the two leases from half-time on, the one and a half are over that were left.
    await line.advance(1.5 * leaseSeconds);
    const again = await line.receiveAll(2);
    deepStrictEqual(again.map(({ body }) => body).toSorted(), ["longer", "shorter"]);
  });

  test("release() makes messages visible at once when there is no delay", async (line) => {
    await line.send(["a", "b"]);
    const messages = await line.receiveAll(2);
    strictEqual((await line.queue.release(messages, 0)).size, 0);
    const again = await line.receiveAll(2);
    deepStrictEqual(again.map(({ receiveCount }) => receiveCount), [2, 2]);
  });

  test("release() wakes a receive that waits", async (line) => {
    await line.send(["hello"]);
    const message = await line.receiveOne();
    // With a lease of its own it would come, too, but not before that is over.
    await line.queue.extend([message], 10 * line.queue.leaseSeconds);
    const receiving = line.receive(Math.min(5, line.queue.longestWaitSeconds));
    await line.queue.release([message], 0);
    deepStrictEqual((await receiving).map(({ id }) => id), [message.id]);
  });

  test("release() hides messages for the delay, and no longer", async (line) => {
    await line.send(["hello"]);
    const message = await line.receiveOne();
    // Longer than the lease, which ends meanwhile.
    const delay = 2 * line.queue.leaseSeconds;
    strictEqual((await line.queue.release([message], delay)).size, 0);
    await line.advance(line.queue.leaseSeconds + SLACK_SECONDS);
    deepStrictEqual(await line.receive(), []);
    await line.advance(line.queue.leaseSeconds);
    strictEqual((await line.receiveOne()).id, message.id);
  });
}

/** A queue under test with short words for what tests do most. */
type Held = QueueUnderTest & ReturnType<typeof helpers>;

function helpers({ queue, advance }: QueueUnderTest) {
  const receive = (waitSeconds = 0): Promise<Message[]> =>
    queue.receive({ waitSeconds, signal: new AbortController().signal });
  /** Receives just so many, in however many calls, and fails if they do not come. */
  const receiveAll = async (count: number): Promise<Message[] & Three> => {
    const messages: Message[] = [];
    for (let calls = 0; messages.length < count && calls < 20; calls++) {
      let some = await receive();
      // An empty answer to a call that does not wait may be chance.
      if (some.length === 0) {
        const receiving = receive(queue.reliableWaitSeconds);
        await advance(queue.reliableWaitSeconds);
        some = await receiving;
      }
      ok(some.length <= queue.batchSize, `${some.length} messages`);
      messages.push(...some);
    }
    strictEqual(messages.length, count);
    return messages as Message[] & Three;
  };
  return {
    receive,
    receiveAll,
    receiveOne: async () => (await receiveAll(1))[0],
    endLeases: () => advance(queue.leaseSeconds + SLACK_SECONDS),
  };
}

/** So that a test may take its messages apart without asking each time whether it is there. */
interface Three {
  readonly 0: Message;
  readonly 1: Message;
  readonly 2: Message;
}

/** The call fails as it must when the queue cannot be reached; nothing of a message is in the error. */
async function failsTransiently(call: Promise<unknown>, secret = ""): Promise<void> {
  const error = await call.then(() => undefined, (reason) => reason);
  ok(error instanceof QueueError, `${error}`);
  strictEqual(error.isTransient, true);
  ok(error.code.length > 0 && !error.message.includes(secret), error.message);
}

function fail(): never {
  throw new Error("The message is missing");
}

function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `number ${index}`);
}
