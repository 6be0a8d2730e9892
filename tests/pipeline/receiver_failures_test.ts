import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert";
import { createReceiver } from "../support/create_receiver.ts";
import { settle } from "../support/manual_clock.ts";

Deno.test("run() starts no receive when the store is unavailable", async () => {
  const { clock, queue, send, start, loseStore } = createReceiver();
  loseStore();
  send(10);
  start();
  await clock.advance(600_000);
  deepStrictEqual(queue.calls.receive, []);
});

Deno.test("run() starts no receive when the store becomes unavailable while it waits for its rate limit", async () => {
  const { clock, queue, send, start, loseStore } = createReceiver({ perSecond: 1 });
  send(10);
  start();
  await settle();
  loseStore();
  await clock.advance(600_000);
  deepStrictEqual(queue.calls.receive, []);
});

Deno.test("run() receives again when the store has recovered", async () => {
  const { clock, outage, send, came, start, loseStore } = createReceiver();
  loseStore();
  send(10);
  start();
  await clock.advance(60_000);
  outage.recover();
  await clock.advance(0);
  strictEqual(came.length, 10);
});

// In an earlier version failed receives kept the tokens they had taken: at 10/s each cost a second.
Deno.test("run() keeps its rate when a receive fails", async () => {
  const { clock, queue, send, came, start } = createReceiver({ perSecond: 10 });
  queue.away = "ECONNREFUSED";
  start();
  await settle();
  queue.away = undefined;
  send(10);
  await clock.advance(100);
  strictEqual(came.length, 10);
});

Deno.test("run() backs off and continues when the queue was unavailable", async () => {
  const { clock, queue, send, came, start } = createReceiver();
  queue.away = "ECONNREFUSED";
  start();
  send(3);
  await clock.advance(3_600_000);
  const tries = queue.calls.receive.length;
  ok(tries > 100 && tries < 500, `${tries} tries in an hour`);
  queue.away = undefined;
  await clock.advance(30_000);
  strictEqual(came.length, 3);
});

Deno.test("run() throws and aborts the other receives when handling fails", async () => {
  const { clock, queue, receiver, send } = createReceiver({
    handle: () => {
      throw new Error("Broken");
    },
  });
  send(1);
  const running = receiver.run();
  await rejects(running, /Broken/);
  strictEqual(queue.polling, 0);
  strictEqual(clock.sleeping, 0);
});

Deno.test("run() throws when the queue throws an error that is not a QueueError", async () => {
  const { queue, receiver } = createReceiver();
  queue.receive = () => Promise.reject(new TypeError("A fault of the program"));
  await rejects(receiver.run(), TypeError);
});
