import { Counters } from "../../lib/pipeline/counters.ts";
import { InFlightMessages } from "../../lib/pipeline/in_flight.ts";
import { Outage } from "../../lib/pipeline/outage.ts";
import { RateLimiter } from "../../lib/pipeline/rate_limiter.ts";
import { Receiver, type ReceiverOptions } from "../../lib/pipeline/receiver.ts";
import type { Message } from "../../lib/queue/queue.ts";
import { StoreError } from "../../lib/store/store.ts";
import { FakeQueue } from "./fake_queue.ts";
import { ManualClock } from "./manual_clock.ts";

/** Options of {@linkcode createReceiver}. */
export interface CreateReceiverOptions extends Partial<ReceiverOptions> {
  /** Default 1,000. */
  readonly maxInFlight?: number;
  /** Default 0: no limit. */
  readonly perSecond?: number;
  /** Keep messages in flight instead of settling and deleting them at once. */
  readonly keep?: boolean;
}

/** Creates a receiver on a queue and a clock that a test controls. The messages it receives are in `came`. */
export function createReceiver(options: CreateReceiverOptions = {}) {
  const { maxInFlight = 1_000, perSecond = 0, keep = false, ...rest } = options;
  const clock = new ManualClock();
  const queue = new FakeQueue({ clock });
  const holdings = new InFlightMessages({
    counters: new Counters(),
    clock,
    maxMessages: maxInFlight,
    maxCharacters: 1e9,
  });
  const outage = new Outage({
    probe: () => Promise.resolve(),
    signal: new AbortController().signal,
    clock,
    random: () => 1,
  });
  const came: Message[] = [];
  const receiver = new Receiver({
    queue,
    inFlight: holdings,
    outage,
    rateLimiter: new RateLimiter(perSecond, clock),
    deleter: { waitForCapacity: () => Promise.resolve() },
    maxPollers: 8,
    waitSeconds: 20,
    async handle(message) {
      came.push(message);
      const held = holdings.add(message);
      if (!held || keep) return;
      holdings.settle(held, "committed");
      await queue.delete([message]);
    },
    clock,
    ...rest,
  });
  return {
    clock,
    queue,
    holdings,
    outage,
    came,
    receiver,
    /** Sends messages and returns their ids. */
    send: (count: number) => queue.send(Array.from({ length: count }, () => "{}")),
    /** Starts the receiver. The returned function says whether it has ended. */
    start() {
      let ended = false;
      receiver.run().finally(() => ended = true);
      return () => ended;
    },
    /** Makes the store unavailable, until `outage.recover()`. */
    loseStore() {
      void outage.waitForRecovery(
        new StoreError("transient", "57P01", "Postgres refused with SQLSTATE 57P01"),
      );
    },
  };
}
