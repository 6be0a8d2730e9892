import { strictEqual } from "node:assert";
import { createReceiver } from "../support/create_receiver.ts";
import { settle } from "../support/manual_clock.ts";

Deno.test("run() sends one long poll at a time when the queue is empty", async () => {
  const { clock, queue, start } = createReceiver();
  start();
  await clock.advance(600_000);
  strictEqual(queue.mostPolling, 1);
  // One at the start and one after each 20 s.
  strictEqual(queue.calls.receive.length, 31);
});

Deno.test("run() adds pollers up to its maximum when answers are full", async () => {
  const { clock, queue, send, start } = createReceiver({ maxPollers: 5 });
  send(500);
  start();
  await settle();
  const go = queue.hold("receive");
  await clock.advance(0);
  go();
  await settle();
  strictEqual(queue.mostPolling, 5);
});

Deno.test("run() keeps one poller when answers have messages but are not full", async () => {
  const { clock, queue, send, start } = createReceiver();
  start();
  for (let i = 0; i < 50; i++) {
    send(9);
    await clock.advance(100);
  }
  strictEqual(queue.mostPolling, 1);
});

Deno.test("run() reduces to one poller, and not to none, when the queue becomes empty", async () => {
  const { clock, queue, send, start } = createReceiver();
  send(500);
  start();
  await clock.advance(1_000);
  strictEqual(queue.mostPolling, 8);
  await clock.advance(60_000);
  for (let i = 0; i < 100; i++) {
    strictEqual(queue.polling, 1);
    await clock.advance(19_000);
  }
});

Deno.test("run() keeps exactly one poller when all get empty answers at the same moment", async () => {
  const { clock, queue, send, start } = createReceiver();
  send(500);
  start();
  await settle();
  strictEqual(queue.polling, 8);
  await clock.advance(20_000);
  strictEqual(queue.polling, 1);
});

Deno.test("run() adds pollers again when the queue fills after it was empty", async () => {
  const { clock, queue, send, came, start } = createReceiver();
  for (let burst = 1; burst <= 20; burst++) {
    if (burst === 1) start();
    queue.mostPolling = 0;
    send(500);
    await clock.advance(60_000);
    strictEqual(queue.mostPolling, 8);
    strictEqual(queue.polling, 1);
    strictEqual(came.length, 500 * burst);
  }
});
