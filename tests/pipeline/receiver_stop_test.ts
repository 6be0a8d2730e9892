import { deepStrictEqual, strictEqual } from "node:assert";
import { QueueError } from "../../lib/queue/queue.ts";
import { createReceiver } from "../support/create_receiver.ts";
import { countListeners } from "../support/listeners.ts";
import { settle } from "../support/manual_clock.ts";

Deno.test("run() starts no receive when it was stopped before it started", async () => {
  const { queue, receiver, send } = createReceiver();
  send(10);
  receiver.stop();
  await receiver.run();
  deepStrictEqual(queue.calls.receive, []);
});

Deno.test("run() starts no further receive when it is stopped, and processes what it still receives", async () => {
  const { clock, queue, receiver, send, came, start } = createReceiver();
  const ended = start();
  await settle();
  receiver.stop();
  await clock.advance(5_000);
  strictEqual(ended(), false);
  send(10);
  await clock.advance(0);
  strictEqual(came.length, 10);
  strictEqual(ended(), true);
  strictEqual(queue.calls.receive.length, 1);
});

Deno.test("run() ends at once when it is aborted during a long poll", async () => {
  const { clock, receiver, start } = createReceiver();
  const ended = start();
  await settle();
  receiver.abort();
  await settle();
  strictEqual(ended(), true);
  strictEqual(clock.sleeping, 0);
});

for (
  const [name, options] of [
    ["capacity", { maxInFlight: 10, keep: true }],
    ["its rate limit", { perSecond: 1 }],
  ] as const
) {
  Deno.test(`run() ends at once and leaves no timer when it waits for ${name}`, async () => {
    const { clock, queue, receiver, send, start } = createReceiver(options);
    send(20);
    const ended = start();
    await settle();
    strictEqual(queue.polling, 0);
    receiver.stop();
    await settle();
    strictEqual(ended(), true);
    strictEqual(clock.sleeping, 0);
  });
}

Deno.test("run() ends at once when it is stopped during an outage", async () => {
  const { receiver, start, loseStore } = createReceiver();
  loseStore();
  const ended = start();
  await settle();
  receiver.stop();
  await settle();
  strictEqual(ended(), true);
});

Deno.test("run() ends at once when it is stopped during the backoff from an unavailable queue", async () => {
  const { clock, queue, receiver, start } = createReceiver();
  queue.away = "ECONNREFUSED";
  const ended = start();
  await clock.advance(3_000);
  receiver.stop();
  await settle();
  strictEqual(ended(), true);
  strictEqual(clock.sleeping, 0);
});

Deno.test("run() does not wait for a backoff when a receive failed because it was aborted", async () => {
  const { clock, queue, receiver, start } = createReceiver();
  queue.receive = ({ signal }) =>
    new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(new QueueError("receive", "AbortError")));
    });
  const ended = start();
  await settle();
  receiver.abort();
  await settle();
  strictEqual(ended(), true);
  strictEqual(clock.sleeping, 0);
});

Deno.test("run() leaves no listener on the signal of its receives when it made many", async () => {
  const { clock, queue, send, start } = createReceiver();
  const signals = new Set<AbortSignal>();
  const receive = queue.receive.bind(queue);
  let listeners = () => 0;
  queue.receive = (options) => {
    if (!signals.has(options.signal)) listeners = countListeners(options.signal);
    signals.add(options.signal);
    return receive(options);
  };
  start();
  for (let i = 0; i < 100; i++) {
    send(25);
    await clock.advance(1_000);
  }
  strictEqual(signals.size, 1);
  // Those of the receives that are waiting now.
  strictEqual(listeners(), queue.polling);
});
