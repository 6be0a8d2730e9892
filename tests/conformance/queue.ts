import { deepStrictEqual, notStrictEqual, ok, rejects, strictEqual } from "node:assert";
import { type Message, type Queue, QueueError } from "../../lib/queue/queue.ts";

/** A queue of one test, and what the suite needs around it. Its disposal closes both. */
export interface QueueUnderTest extends AsyncDisposable {
  readonly queue: Queue;
  /** Sends messages as a producer does, and returns their ids in the order of the bodies. */
  send(bodies: readonly string[]): Promise<string[]>;
  /** Advances the time of the leases by this many seconds. A queue in real time waits for them. */
  advance(seconds: number): Promise<void>;
  /** Lets every call to the queue fail until the returned function is called. */
  makeUnavailable(): () => void;
}

/** How much longer than a lease the suite waits, for clocks that differ slightly. Estimate, not measured. */
const SLACK_SECONDS = 0.5;

/**
 * Registers the tests that every {@linkcode Queue} must pass, for each sentence of its interface. Only that
 * a receive has a deadline, which would take five real seconds, is left to each queue's own tests.
 *
 * @param name the suffix of the tests' names, such as `SqsQueue, json`
 * @param open opens an empty queue. In real time, its lease should be a few seconds
 */
export function testQueue(name: string, open: () => Promise<QueueUnderTest>): void {
  const test = (what: string, work: (line: QueueWithHelpers) => Promise<void>) => {
    Deno.test(`${what} (${name})`, async () => {
      await using opened = await open();
      await work({ ...opened, ...helpers(opened) });
    });
  };

  test("a queue's properties are consistent", async ({ queue }) => {
    ok(queue.leaseSeconds > 0 && queue.leaseSeconds <= queue.longestLeaseSeconds);
    ok(Number.isInteger(queue.batchSize) && queue.batchSize >= 1);
    ok(queue.longestWaitSeconds >= queue.reliableWaitSeconds && queue.reliableWaitSeconds >= 0);
    ok(Number.isInteger(queue.emptyReceivesWhenDrained) && queue.emptyReceivesWhenDrained >= 1);
  });

  test("receive() returns id, body, time sent, receive count and handle", async (line) => {
    const [id] = await line.send(["hello ✓"]);
    const message = await line.receiveOne();
    deepStrictEqual([message.id, message.body, message.receiveCount], [id, "hello ✓", 1]);
    // A date of this century in milliseconds. In seconds it would be in 1970.
    ok(message.sentAt > Date.UTC(2000, 0) && message.sentAt < Date.UTC(2100, 0));
    strictEqual(typeof message.handle, "string");
  });

  test("receive() returns nothing when the queue is empty", async (line) => {
    deepStrictEqual(await line.receive(), []);
  });

  test("receive() returns every message once, and at most batchSize at a time", async (line) => {
    const { batchSize } = line.queue;
    const ids = await line.send(numbers(2 * batchSize + 1));
    const messages = await line.receiveAll(ids.length);
    deepStrictEqual(messages.map(({ id }) => id).toSorted(), ids.toSorted());
    deepStrictEqual(await line.receive(), []);
  });

  test("receive() returns no message twice when several calls are in progress", async (line) => {
    const ids = await line.send(numbers(line.queue.batchSize + 2));
    const answers = await Promise.all([line.receive(), line.receive(), line.receive()]);
    const received = answers.flat().map(({ id }) => id);
    // A receive may return fewer messages than the queue has.
    strictEqual(new Set(received).size, received.length);
    ok(received.every((id) => ids.includes(id)));
  });

  test("receive() waits for a message that is sent meanwhile", async (line) => {
    const waitSeconds = Math.min(5, line.queue.longestWaitSeconds);
    const receiving = line.receive(waitSeconds);
    const [id] = await line.send(["late"]);
    deepStrictEqual((await receiving).map(({ id }) => id), [id]);
  });

  test("receive() returns nothing when the wait is over", async (line) => {
    const receiving = line.receive(1);
    await line.advance(1);
    deepStrictEqual(await receiving, []);
  });

  test("receive() fails, and loses no message, when it is aborted", async (line) => {
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

  test("receive() fails when it was aborted before it began", async (line) => {
    const [id] = await line.send(["hello"]);
    await rejects(
      line.queue.receive({ waitSeconds: 0, signal: AbortSignal.abort() }),
      { name: "QueueError" },
    );
    strictEqual((await line.receiveOne()).id, id);
  });

  test("receive() returns a message again when its lease is over, and not before", async (line) => {
    await line.send(["hello"]);
    const first = await line.receiveOne();
    deepStrictEqual(await line.receive(), []);
    await line.endLeases();
    const second = await line.receiveOne();
    deepStrictEqual([second.id, second.body, second.sentAt], [first.id, first.body, first.sentAt]);
    strictEqual(second.receiveCount, 2);
    notStrictEqual(second.handle, first.handle);
  });

  test("extend() and delete() accept the newest handle when a message was redelivered", async (line) => {
    await line.send(["hello"]);
    await line.receiveOne();
    await line.endLeases();
    const newest = await line.receiveOne();
    strictEqual((await line.queue.extend([newest], line.queue.leaseSeconds)).size, 0);
    strictEqual((await line.queue.delete([newest])).size, 0);
    await line.endLeases();
    deepStrictEqual(await line.receive(), []);
  });

  test("delete() removes its messages permanently, and no others", async (line) => {
    await line.send(["a", "b", "c"]);
    const [one, two, three] = await line.receiveAll(3);
    strictEqual((await line.queue.delete([one, three])).size, 0);
    await line.endLeases();
    deepStrictEqual((await line.receiveAll(1)).map(({ id }) => id), [two.id]);
  });

  test("delete() has no further effect when it is called twice", async (line) => {
    await line.send(["a", "b"]);
    const [one, two] = await line.receiveAll(2);
    await line.queue.delete([one]);
    // The queue decides whether the second is a failure.
    strictEqual((await line.queue.delete([one, two])).has(two.id), false);
    await line.endLeases();
    deepStrictEqual(await line.receive(), []);
  });

  for (const call of ["delete", "extend", "release"] as const) {
    test(`${call}() accepts batchSize messages at a time`, async (line) => {
      const { batchSize, leaseSeconds } = line.queue;
      await line.send(numbers(batchSize));
      const messages = await line.receiveAll(batchSize);
      const failures = call === "delete"
        ? await line.queue.delete(messages)
        : await line.queue[call](messages, call === "extend" ? leaseSeconds : 0);
      deepStrictEqual([...failures], []);
    });

    test(`${call}() fails as transient when the queue is unavailable, and succeeds when it has recovered`, async (line) => {
      const { leaseSeconds } = line.queue;
      await line.send(["secret-4711"]);
      const messages = [await line.receiveOne()];
      const act = () =>
        call === "delete"
          ? line.queue.delete(messages)
          : line.queue[call](messages, call === "extend" ? leaseSeconds : 0);
      const recover = line.makeUnavailable();
      for (let attempt = 0; attempt < 2; attempt++) await failsTransiently(act(), "secret-4711");
      recover();
      strictEqual((await act()).size, 0);
    });
  }

  test("receive() fails as transient when the queue is unavailable, and succeeds when it has recovered", async (line) => {
    const [id] = await line.send(["secret-4711"]);
    const recover = line.makeUnavailable();
    for (let attempt = 0; attempt < 2; attempt++) await failsTransiently(line.receive(), id);
    recover();
    strictEqual((await line.receiveOne()).id, id);
  });

  for (const call of ["extend", "release"] as const) {
    test(`${call}() returns a deleted message with a code, and succeeds for the others`, async (line) => {
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

  test("extend() hides messages for this many seconds from now when the current lease has any rest", async (line) => {
    const { leaseSeconds } = line.queue;
    await line.send(["longer", "shorter"]);
    const messages = await line.receiveAll(2);
    const longer = messages.filter(({ body }) => body === "longer");
    await line.advance(leaseSeconds / 2);
    strictEqual((await line.queue.extend(longer, 2 * leaseSeconds)).size, 0);
    await line.advance(leaseSeconds / 2 + SLACK_SECONDS);
    deepStrictEqual((await line.receiveAll(1)).map(({ body }) => body), ["shorter"]);
    // The extended lease began at half-time: its remaining one and a half leases end here.
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

  test("release() ends the wait of a receive when it makes a message visible", async (line) => {
    await line.send(["hello"]);
    const message = await line.receiveOne();
    // The message would also be visible at the end of its lease, but that is much later.
    await line.queue.extend([message], 10 * line.queue.leaseSeconds);
    const receiving = line.receive(Math.min(5, line.queue.longestWaitSeconds));
    await line.queue.release([message], 0);
    deepStrictEqual((await receiving).map(({ id }) => id), [message.id]);
  });

  test("release() hides messages for the delay, and not longer", async (line) => {
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

/** A queue under test, with helpers for frequent steps. */
type QueueWithHelpers = QueueUnderTest & ReturnType<typeof helpers>;

function helpers({ queue, advance }: QueueUnderTest) {
  const receive = (waitSeconds = 0): Promise<Message[]> =>
    queue.receive({ waitSeconds, signal: new AbortController().signal });
  /** Receives exactly this many messages, in any number of calls, and fails if they do not arrive. */
  const receiveAll = async (count: number): Promise<Message[] & Three> => {
    const messages: Message[] = [];
    for (let calls = 0; messages.length < count && calls < 20; calls++) {
      let some = await receive();
      // A call that does not wait may return nothing although there are messages.
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

/** Lets a test destructure its messages without a check of each. */
interface Three {
  readonly 0: Message;
  readonly 1: Message;
  readonly 2: Message;
}

/** Expects the error of an unavailable queue, which contains nothing of a message. */
async function failsTransiently(call: Promise<unknown>, secret = ""): Promise<void> {
  const error = await call.then(() => undefined, (reason) => reason);
  ok(error instanceof QueueError, `${error}`);
  strictEqual(error.isTransient, true);
  ok(error.code.length > 0 && !error.message.includes(secret), error.message);
}

function fail(): never {
  throw new Error("expected a message, got none");
}

function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `number ${index}`);
}
