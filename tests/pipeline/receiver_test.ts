import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { createReceiver } from "../support/create_receiver.ts";
import { listIds } from "../support/ids_of.ts";
import { settle } from "../support/manual_clock.ts";

Deno.test("run() passes on every message that it receives", async () => {
  const { clock, queue, came, send, start } = createReceiver();
  start();
  await settle();
  const ids = send(123);
  await clock.advance(10);
  deepStrictEqual(listIds(came), ids);
  strictEqual(queue.visible.length, 0);
});

Deno.test("run() starts no receive when messages in flight and requested ones reach the limit", async () => {
  const { clock, queue, send, came, start } = createReceiver({ maxInFlight: 35, keep: true });
  send(200);
  start();
  await clock.advance(3_600_000);
  strictEqual(came.length, 30);
  strictEqual(queue.polling, 0);
});

Deno.test("run() never exceeds the limit when many pollers receive at once", async () => {
  const { clock, holdings, send, start } = createReceiver({ maxInFlight: 47, keep: true });
  send(500);
  start();
  for (let i = 0; i < 100; i++) {
    await clock.advance(100);
    ok(holdings.size <= 47, `${holdings.size} held`);
    for (const held of holdings.all().slice(0, 7)) holdings.settle(held, "committed");
  }
});

Deno.test("run() continues when capacity is released", async () => {
  const { clock, holdings, send, came, start } = createReceiver({ maxInFlight: 10, keep: true });
  send(20);
  start();
  await settle();
  strictEqual(came.length, 10);
  for (const held of holdings.all()) holdings.settle(held, "committed");
  await clock.advance(0);
  strictEqual(came.length, 20);
});

Deno.test("run() starts no receive when too many deletes are pending", async () => {
  const room = Promise.withResolvers<void>();
  const { clock, queue, send, came, start } = createReceiver({
    deleter: { waitForCapacity: () => room.promise },
  });
  send(10);
  start();
  await clock.advance(600_000);
  deepStrictEqual(queue.calls.receive, []);
  room.resolve();
  await clock.advance(0);
  strictEqual(came.length, 10);
});

Deno.test("run() waits at most one second for a message when messages are in flight", async () => {
  const { clock, queue, send, start } = createReceiver({ keep: true });
  send(1);
  start();
  await clock.advance(10_000);
  // The first receive and one a second.
  strictEqual(queue.calls.receive.length, 12);
});

Deno.test("run() keeps its rate limit when the queue is full", async () => {
  const { clock, send, came, start } = createReceiver({ perSecond: 50 });
  send(2_000);
  start();
  for (let second = 1; second <= 20; second++) {
    await clock.advance(1_000);
    ok(came.length <= 50 * (second + 1), `${came.length} in ${second} s`);
  }
  ok(came.length >= 50 * 20 - 10, `${came.length} in 20 s`);
});

// A queue may wait for less time than requested. An earlier version then looped without a pause.
Deno.test("run() makes at most ten calls a second when the queue does not wait", async () => {
  const { clock, queue, start } = createReceiver();
  let calls = 0;
  queue.receive = () => {
    calls++;
    return Promise.resolve([]);
  };
  start();
  await clock.advance(10_000);
  ok(calls <= 101, `${calls} calls in 10 s`);
});

Deno.test("run() ends when the queue is drained and its option requests it", async () => {
  const { clock, queue, send, came, start } = createReceiver({
    isDrained: (empty) => empty >= 2,
    waitSeconds: 1,
  });
  send(100);
  const ended = start();
  await clock.advance(10_000);
  strictEqual(came.length, 100);
  strictEqual(ended(), true);
  strictEqual(queue.polling, 0);
});

Deno.test("run() restarts the count of empty answers when messages were received in between", async () => {
  const counts: number[] = [];
  const { clock, send, start } = createReceiver({
    isDrained: (empty) => void counts.push(empty) === undefined && false,
    waitSeconds: 1,
  });
  start();
  await clock.advance(2_500);
  send(1);
  await clock.advance(2_000);
  deepStrictEqual(counts, [1, 2, 1, 2]);
});
