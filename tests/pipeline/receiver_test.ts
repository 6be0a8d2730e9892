import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert";
import { Books } from "../../lib/pipeline/books.ts";
import { Holdings } from "../../lib/pipeline/holdings.ts";
import { Outage } from "../../lib/pipeline/outage.ts";
import { Pace } from "../../lib/pipeline/pace.ts";
import { Receiver, type ReceiverOptions } from "../../lib/pipeline/receiver.ts";
import { type Message, QueueError } from "../../lib/queue/queue.ts";
import { StoreError } from "../../lib/store/store.ts";
import { FakeQueue } from "../support/fake_queue.ts";
import { countListeners } from "../support/listeners.ts";
import { ManualClock, settle } from "../support/manual_clock.ts";

const away = new StoreError("transient", "57P01", "Postgres refused with SQLSTATE 57P01");

interface Options extends Partial<ReceiverOptions> {
  readonly maxInFlight?: number;
  readonly perSecond?: number;
  /** Hold what comes instead of settling and deleting it at once. */
  readonly keep?: boolean;
}

function create(options: Options = {}) {
  const { maxInFlight = 1_000, perSecond = 0, keep = false, ...rest } = options;
  const clock = new ManualClock();
  const queue = new FakeQueue({ clock });
  const holdings = new Holdings({
    books: new Books(),
    clock,
    maxMessages: maxInFlight,
    maxCharacters: 1e9,
  });
  const stopOutage = new AbortController();
  const outage = new Outage({
    probe: () => Promise.resolve(),
    signal: stopOutage.signal,
    clock,
    random: () => 1,
  });
  const pace = new Pace(perSecond, clock);
  const came: Message[] = [];
  const receiver = new Receiver({
    queue,
    holdings,
    outage,
    pace,
    deleter: { whenRoom: () => Promise.resolve() },
    maxPollers: 8,
    waitSeconds: 20,
    async handle(message) {
      came.push(message);
      const held = holdings.take(message);
      if (!held || keep) return;
      holdings.settle(held, "committed");
      await queue.delete([message]);
    },
    clock,
    ...rest,
  });
  const send = (count: number) => queue.send(Array.from({ length: count }, () => "{}"));
  return { clock, queue, holdings, outage, pace, came, receiver, send };
}

/** Starts it and notes when it has ended. */
function start(receiver: Receiver): () => boolean {
  let ended = false;
  receiver.run().finally(() => ended = true);
  return () => ended;
}

Deno.test("run() makes one long poll at a time when the queue is empty", async () => {
  const { clock, queue, receiver } = create();
  start(receiver);
  await clock.advance(600_000);
  strictEqual(queue.mostPolling, 1);
  // One at the start and one after each 20 s.
  strictEqual(queue.calls.receive.length, 31);
});

Deno.test("run() hands over everything that comes", async () => {
  const { clock, queue, receiver, came, send } = create();
  start(receiver);
  await settle();
  const ids = send(123);
  await clock.advance(10);
  deepStrictEqual(came.map(({ id }) => id).sort(), ids);
  strictEqual(queue.visible.length, 0);
});

Deno.test("run() adds pollers up to its most when answers are full", async () => {
  const { clock, queue, receiver, send } = create({ maxPollers: 5 });
  send(500);
  start(receiver);
  await settle();
  const go = queue.hold("receive");
  await clock.advance(0);
  go();
  await settle();
  strictEqual(queue.mostPolling, 5);
});

Deno.test("run() keeps one poller when answers come, but are not full", async () => {
  const { clock, queue, receiver, send } = create();
  start(receiver);
  for (let i = 0; i < 50; i++) {
    send(9);
    await clock.advance(100);
  }
  strictEqual(queue.mostPolling, 1);
});

Deno.test("run() shrinks to one poller, and not to none, when the queue gets empty", async () => {
  const { clock, queue, receiver, send } = create();
  send(500);
  start(receiver);
  await clock.advance(1_000);
  strictEqual(queue.mostPolling, 8);
  await clock.advance(60_000);
  for (let i = 0; i < 100; i++) {
    strictEqual(queue.polling, 1);
    await clock.advance(19_000);
  }
});

Deno.test("run() leaves exactly one poller when all get empty answers at the same moment", async () => {
  const { clock, queue, receiver, send } = create();
  send(500);
  start(receiver);
  await settle();
  strictEqual(queue.polling, 8);
  await clock.advance(20_000);
  strictEqual(queue.polling, 1);
});

Deno.test("run() grows again when the queue gets full after it was empty", async () => {
  const { clock, queue, receiver, send, came } = create();
  for (let burst = 1; burst <= 20; burst++) {
    if (burst === 1) start(receiver);
    queue.mostPolling = 0;
    send(500);
    await clock.advance(60_000);
    strictEqual(queue.mostPolling, 8);
    strictEqual(queue.polling, 1);
    strictEqual(came.length, 500 * burst);
  }
});

Deno.test("run() starts no receive when what is held and asked for is at the bound", async () => {
  const { clock, queue, receiver, send, came } = create({ maxInFlight: 35, keep: true });
  send(200);
  start(receiver);
  await clock.advance(3_600_000);
  strictEqual(came.length, 30);
  strictEqual(queue.polling, 0);
});

Deno.test("run() never holds more than the bound when many pollers ask at once", async () => {
  const { clock, holdings, receiver, send } = create({ maxInFlight: 47, keep: true });
  send(500);
  start(receiver);
  for (let i = 0; i < 100; i++) {
    await clock.advance(100);
    ok(holdings.size <= 47, `${holdings.size} held`);
    for (const held of holdings.all().slice(0, 7)) holdings.settle(held, "committed");
  }
});

Deno.test("run() goes on when room was made", async () => {
  const { clock, holdings, receiver, send, came } = create({ maxInFlight: 10, keep: true });
  send(20);
  start(receiver);
  await settle();
  strictEqual(came.length, 10);
  for (const held of holdings.all()) holdings.settle(held, "committed");
  await clock.advance(0);
  strictEqual(came.length, 20);
});

Deno.test("run() starts no receive when the store is away", async () => {
  const { clock, queue, outage, receiver, send } = create();
  void outage.wait(away);
  send(10);
  start(receiver);
  await clock.advance(600_000);
  deepStrictEqual(queue.calls.receive, []);
});

Deno.test("run() starts no receive when the store goes away while it waits for its pace", async () => {
  const { clock, queue, outage, receiver, send } = create({ perSecond: 1 });
  send(10);
  start(receiver);
  await settle();
  void outage.wait(away);
  await clock.advance(600_000);
  deepStrictEqual(queue.calls.receive, []);
});

Deno.test("run() receives again when the store is back", async () => {
  const { clock, outage, receiver, send, came } = create();
  void outage.wait(away);
  send(10);
  start(receiver);
  await clock.advance(60_000);
  outage.recover();
  await clock.advance(0);
  strictEqual(came.length, 10);
});

Deno.test("run() starts no receive when too many deletes are owed", async () => {
  const room = Promise.withResolvers<void>();
  const { clock, queue, receiver, send, came } = create({
    deleter: { whenRoom: () => room.promise },
  });
  send(10);
  start(receiver);
  await clock.advance(600_000);
  deepStrictEqual(queue.calls.receive, []);
  room.resolve();
  await clock.advance(0);
  strictEqual(came.length, 10);
});

Deno.test("run() waits a second at most for a message when something is held", async () => {
  const { clock, queue, receiver, send } = create({ keep: true });
  send(1);
  start(receiver);
  await clock.advance(10_000);
  // The first receive and one a second.
  strictEqual(queue.calls.receive.length, 12);
});

Deno.test("run() keeps to its pace when the queue is full", async () => {
  const { clock, receiver, send, came } = create({ perSecond: 50 });
  send(2_000);
  start(receiver);
  for (let second = 1; second <= 20; second++) {
    await clock.advance(1_000);
    ok(came.length <= 50 * (second + 1), `${came.length} in ${second} s`);
  }
  ok(came.length >= 50 * 20 - 10, `${came.length} in 20 s`);
});

// Failed receives used to keep the tokens they had taken: at 10/s each cost a second.
Deno.test("run() does not fall behind its pace when a receive fails", async () => {
  const { clock, queue, receiver, send, came } = create({ perSecond: 10 });
  queue.away = "ECONNREFUSED";
  start(receiver);
  await settle();
  queue.away = undefined;
  send(10);
  await clock.advance(100);
  strictEqual(came.length, 10);
});

Deno.test("run() starts no receive when it was stopped before", async () => {
  const { queue, receiver, send } = create();
  send(10);
  receiver.stop();
  await receiver.run();
  deepStrictEqual(queue.calls.receive, []);
});

Deno.test("run() starts no further receive when it is stopped, and takes what still comes", async () => {
  const { clock, queue, receiver, send, came } = create();
  const ended = start(receiver);
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
  const { clock, receiver } = create();
  const ended = start(receiver);
  await settle();
  receiver.abort();
  await settle();
  strictEqual(ended(), true);
  strictEqual(clock.sleeping, 0);
});

for (
  const [name, options] of [
    ["room", { maxInFlight: 10, keep: true }],
    ["its pace", { perSecond: 1 }],
  ] as const
) {
  Deno.test(`run() ends at once and leaves no timer when it waits for ${name}`, async () => {
    const { clock, queue, receiver, send } = create(options);
    send(20);
    const ended = start(receiver);
    await settle();
    strictEqual(queue.polling, 0);
    receiver.stop();
    await settle();
    strictEqual(ended(), true);
    strictEqual(clock.sleeping, 0);
  });
}

Deno.test("run() ends at once when it is stopped in an outage", async () => {
  const { outage, receiver } = create();
  void outage.wait(away);
  const ended = start(receiver);
  await settle();
  receiver.stop();
  await settle();
  strictEqual(ended(), true);
});

Deno.test("run() ends at once when it is stopped while it backs off from a queue that is away", async () => {
  const { clock, queue, receiver } = create();
  queue.away = "ECONNREFUSED";
  const ended = start(receiver);
  await clock.advance(3_000);
  receiver.stop();
  await settle();
  strictEqual(ended(), true);
  strictEqual(clock.sleeping, 0);
});

Deno.test("run() backs off and goes on when the queue was away", async () => {
  const { clock, queue, receiver, send, came } = create();
  queue.away = "ECONNREFUSED";
  start(receiver);
  send(3);
  await clock.advance(3_600_000);
  const tries = queue.calls.receive.length;
  ok(tries > 100 && tries < 500, `${tries} tries in an hour`);
  queue.away = undefined;
  await clock.advance(30_000);
  strictEqual(came.length, 3);
});

// The contract lets a queue wait for less than it is asked to; the loop used to spin then.
Deno.test("run() makes ten calls a second at most when the queue does not wait", async () => {
  const { clock, queue, receiver } = create();
  let calls = 0;
  queue.receive = () => {
    calls++;
    return Promise.resolve([]);
  };
  start(receiver);
  await clock.advance(10_000);
  ok(calls <= 101, `${calls} calls in 10 s`);
});

Deno.test("run() ends when the queue is drained, as its option tells it", async () => {
  const { clock, queue, receiver, send, came } = create({
    isDrained: (empty) => empty >= 2,
    waitSeconds: 1,
  });
  send(100);
  const ended = start(receiver);
  await clock.advance(10_000);
  strictEqual(came.length, 100);
  strictEqual(ended(), true);
  strictEqual(queue.polling, 0);
});

Deno.test("run() counts empty answers anew when messages came in between", async () => {
  const counts: number[] = [];
  const { clock, receiver, send } = create({
    isDrained: (empty) => void counts.push(empty) === undefined && false,
    waitSeconds: 1,
  });
  start(receiver);
  await clock.advance(2_500);
  send(1);
  await clock.advance(2_000);
  deepStrictEqual(counts, [1, 2, 1, 2]);
});

Deno.test("run() throws and gives the other receives up when handling fails", async () => {
  const { clock, queue, receiver, send } = create({
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

Deno.test("run() throws when the queue fails with what is no QueueError", async () => {
  const { queue, receiver } = create();
  queue.receive = () => Promise.reject(new TypeError("A fault of the program"));
  await rejects(receiver.run(), TypeError);
});

Deno.test("run() does not wait for a back-off when a receive failed by being given up", async () => {
  const { clock, queue, receiver } = create();
  queue.receive = ({ signal }) =>
    new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(new QueueError("receive", "AbortError")));
    });
  const ended = start(receiver);
  await settle();
  receiver.abort();
  await settle();
  strictEqual(ended(), true);
  strictEqual(clock.sleeping, 0);
});

Deno.test("run() leaves no listener on the signal of its receives when there were many", async () => {
  const { clock, queue, receiver, send } = create();
  const signals = new Set<AbortSignal>();
  const receive = queue.receive.bind(queue);
  let listeners = () => 0;
  queue.receive = (options) => {
    if (!signals.has(options.signal)) listeners = countListeners(options.signal);
    signals.add(options.signal);
    return receive(options);
  };
  start(receiver);
  for (let i = 0; i < 100; i++) {
    send(25);
    await clock.advance(1_000);
  }
  strictEqual(signals.size, 1);
  // Those of the receives that wait now.
  strictEqual(listeners(), queue.polling);
});
