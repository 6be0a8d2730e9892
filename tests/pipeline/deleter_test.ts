import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { Deleter, type DeleterOptions } from "../../lib/pipeline/deleter.ts";
import type { Message, MessageHandle } from "../../lib/queue/queue.ts";
import { FakeQueue } from "../support/fake_queue.ts";
import { countListeners } from "../support/listeners.ts";
import { ManualClock, settle } from "../support/manual_clock.ts";

/** Longer than all backoff delays of one message together. */
const ALL_TRIES_MS = 10_000;

function create(options: Partial<DeleterOptions> = {}) {
  const clock = new ManualClock();
  const queue = new FakeQueue({ clock });
  const stop = new AbortController();
  const deleter = new Deleter({
    queue,
    maxCalls: 2,
    maxPending: 1_000,
    signal: stop.signal,
    clock,
    ...options,
  });
  /** Sends messages to the queue and receives them, as if they were committed. */
  const receive = async (count: number): Promise<Message[]> => {
    queue.send(Array.from({ length: count }, () => "{}"));
    return await receiveAgain();
  };
  const receiveAgain = async (): Promise<Message[]> => {
    const got: Message[] = [];
    while (queue.visible.length > 0) {
      got.push(...await queue.receive({ waitSeconds: 0, signal: new AbortController().signal }));
    }
    return got;
  };
  return { clock, queue, stop, deleter, receive, receiveAgain };
}

function firstOf(messages: readonly Message[]): Message {
  const [message] = messages;
  ok(message);
  return message;
}

Deno.test("add() deletes in batches of ten when many are committed", async () => {
  const { queue, deleter, receive } = create({ maxCalls: 8 });
  deleter.add(await receive(25));
  await settle();
  deepStrictEqual(queue.ids, []);
  deepStrictEqual(queue.calls.delete, [10, 10, 5]);
});

Deno.test("add() makes at most the given number of parallel calls when more deletes are pending", async () => {
  const { queue, deleter, receive } = create({ maxCalls: 2 });
  const messages = await receive(50);
  const go = queue.hold("delete");
  deleter.add(messages);
  await settle();
  strictEqual(queue.calls.delete.length, 2);
  go();
  await settle();
  strictEqual(queue.calls.delete.length, 5);
});

Deno.test("pending counts what the queue did not confirm when some deletes fail", async () => {
  const { queue, deleter, receive } = create();
  queue.fails = (_, { id }) => id === "m00002" ? "InternalError" : undefined;
  deleter.add(await receive(3));
  await settle();
  deepStrictEqual([queue.ids, deleter.pending], [["m00002"], 1]);
});

Deno.test("add() retries a delete when it failed", async () => {
  const { clock, queue, deleter, receive } = create();
  let failures = 2;
  queue.fails = () => failures-- > 0 ? "InternalError" : undefined;
  deleter.add(await receive(1));
  await clock.advance(ALL_TRIES_MS);
  deepStrictEqual(queue.ids, []);
  strictEqual(deleter.pending, 0);
});

Deno.test("add() retries when the queue was unavailable", async () => {
  const { clock, queue, deleter, receive } = create();
  const messages = await receive(12);
  queue.away = "ECONNREFUSED";
  deleter.add(messages);
  await settle();
  strictEqual(deleter.pending, 12);
  queue.away = undefined;
  await clock.advance(ALL_TRIES_MS);
  deepStrictEqual([queue.ids, deleter.pending], [[], 0]);
});

Deno.test("add() waits between two attempts when a delete failed", async () => {
  const { clock, queue, deleter, receive } = create();
  queue.fails = () => "InternalError";
  deleter.add(await receive(1));
  await settle();
  strictEqual(queue.calls.delete.length, 1);
  strictEqual(clock.sleeping, 1);
});

Deno.test("add() gives a message up after maxTries when its deletes keep failing", async () => {
  const { clock, queue, deleter, receive } = create({ maxTries: 4 });
  queue.fails = () => "InternalError";
  deleter.add(await receive(1));
  await clock.advance(ALL_TRIES_MS);
  strictEqual(queue.calls.delete.length, 4);
  strictEqual(deleter.pending, 0);
});

// In an earlier version a message was given up after its first attempt, with one that had used up its attempts.
Deno.test("add() counts attempts by message when an old failure and a new one share a call", async () => {
  const { clock, queue, deleter, receive } = create({ maxCalls: 1, maxTries: 3 });
  queue.fails = () => "InternalError";
  deleter.add(await receive(1));
  await clock.until(() => queue.calls.delete.length === 2);
  deleter.add(await receive(1));
  await clock.until(() => queue.calls.delete.length === 3);
  deepStrictEqual(queue.calls.delete, [1, 1, 2]);
  strictEqual(deleter.pending, 1);
  queue.fails = () => undefined;
  await clock.advance(ALL_TRIES_MS);
  deepStrictEqual([queue.ids, deleter.pending], [["m00001"], 0]);
});

Deno.test("redelete() returns false when the message is unknown", async () => {
  const { deleter, receive } = create();
  strictEqual(deleter.redelete(firstOf(await receive(1))), false);
});

Deno.test("redelete() returns true and deletes when a message that was given up is redelivered", async () => {
  const { clock, queue, deleter, receive, receiveAgain } = create({ maxTries: 2 });
  queue.fails = () => "InternalError";
  deleter.add(await receive(1));
  await clock.advance(ALL_TRIES_MS);
  queue.fails = () => undefined;
  await clock.advance(30_000);
  strictEqual(deleter.redelete(firstOf(await receiveAgain())), true);
  await settle();
  deepStrictEqual(queue.ids, []);
});

Deno.test("redelete() returns false when the message was deleted", async () => {
  const { deleter, receive } = create();
  const messages = await receive(1);
  deleter.add(messages);
  await settle();
  strictEqual(deleter.redelete(firstOf(messages)), false);
});

Deno.test("redelete() makes the next attempt use the newest handle when a delete failed", async () => {
  const { clock, queue, deleter, receive, receiveAgain } = create();
  queue.fails = () => "InternalError";
  deleter.add(await receive(1));
  await settle();
  queue.redeliver("m00001");
  const again = firstOf(await receiveAgain());
  strictEqual(deleter.redelete(again), true);
  const handles: string[] = [];
  queue.fails = (_, { handle }: MessageHandle) => void handles.push(handle);
  await clock.advance(ALL_TRIES_MS);
  deepStrictEqual(handles, [again.handle]);
  deepStrictEqual([queue.ids, deleter.pending], [[], 0]);
});

// SQS answers "deleted" to an older handle and keeps the message. An earlier version counted it as deleted.
Deno.test("redelete() deletes again when a message is redelivered during its delete", async () => {
  const { queue, deleter, receive, receiveAgain } = create();
  const go = queue.hold("delete");
  deleter.add(await receive(1));
  await settle();
  queue.redeliver("m00001");
  strictEqual(deleter.redelete(firstOf(await receiveAgain())), true);
  go();
  await settle();
  deepStrictEqual(queue.ids, []);
  deepStrictEqual([queue.ids, deleter.pending], [[], 0]);
});

Deno.test("waitUntilIdle() resolves at once when nothing is pending", async () => {
  await create().deleter.waitUntilIdle();
});

Deno.test("waitUntilIdle() waits until the last delete is confirmed or given up", async () => {
  const { clock, queue, deleter, receive } = create();
  queue.fails = (_, { id }) => id === "m00002" ? "InternalError" : undefined;
  deleter.add(await receive(2));
  let idle = false;
  void deleter.waitUntilIdle().then(() => idle = true);
  await settle();
  strictEqual(idle, false);
  await clock.advance(ALL_TRIES_MS);
  strictEqual(idle, true);
});

Deno.test("add() stops waiting and gives up after one more attempt when the signal aborts", async () => {
  const { clock, queue, stop, deleter, receive } = create();
  queue.fails = () => "InternalError";
  deleter.add(await receive(1));
  await settle();
  stop.abort();
  await deleter.waitUntilIdle();
  strictEqual(queue.calls.delete.length, 2);
  strictEqual(clock.sleeping, 0);
});

Deno.test("add() still deletes when the signal has already aborted", async () => {
  const { queue, stop, deleter, receive } = create();
  stop.abort();
  deleter.add(await receive(1));
  await deleter.waitUntilIdle();
  deepStrictEqual(queue.ids, []);
});

// If deletes were refused, the pending ones of an earlier version grew with every receive, without a limit.
Deno.test("waitForCapacity() waits when too many deletes are pending, until some are done or given up", async () => {
  const { clock, queue, deleter, receive } = create({ maxPending: 10 });
  queue.fails = () => "AccessDenied";
  deleter.add(await receive(10));
  let room = false;
  void deleter.waitForCapacity(new AbortController().signal).then(() => room = true);
  await settle();
  strictEqual(room, false);
  await clock.advance(ALL_TRIES_MS);
  strictEqual(room, true);
});

Deno.test("waitForCapacity() resolves at once when few deletes are pending", async () => {
  const { queue, deleter, receive } = create({ maxPending: 10 });
  queue.fails = () => "AccessDenied";
  deleter.add(await receive(9));
  await deleter.waitForCapacity(new AbortController().signal);
});

Deno.test("waitForCapacity() leaves no listener behind when its signal aborts", async () => {
  const { queue, deleter, receive } = create({ maxPending: 1 });
  queue.fails = () => "AccessDenied";
  deleter.add(await receive(1));
  const stop = new AbortController();
  const listeners = countListeners(stop.signal);
  const waiting = deleter.waitForCapacity(stop.signal);
  stop.abort();
  await waiting;
  strictEqual(listeners(), 0);
});
