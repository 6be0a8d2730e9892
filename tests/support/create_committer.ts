import { ok } from "node:assert";
import { Batcher } from "../../lib/pipeline/batcher.ts";
import { Committer, type Item } from "../../lib/pipeline/committer.ts";
import { Counters } from "../../lib/pipeline/counters.ts";
import { type InFlightMessage, InFlightMessages } from "../../lib/pipeline/in_flight.ts";
import { Outage } from "../../lib/pipeline/outage.ts";
import type { KeepRejected } from "../../lib/pipeline/rejections.ts";
import type { Transformed } from "../../lib/pipeline/transform.ts";
import { FakeStore } from "./fake_store.ts";
import { ManualClock } from "./manual_clock.ts";
import { writeMessage } from "./messages.ts";

/** Options of {@linkcode createCommitter}. */
export interface CreateCommitterOptions {
  /** Default: each body becomes one sealed byte, and its id is recorded in `aside`. */
  readonly keepRejected?: KeepRejected;
  /** How many run at the same time. Default 1. */
  readonly committers?: number;
}

/** The result for a message that is not an event. */
export const rejection: Transformed = {
  kind: "rejection",
  rejection: { reason: "missing", field: "ip", storeCode: null },
};

/**
 * Starts a committer on a store and a clock that a test controls. A batch is complete 200 ms after its
 * first message.
 */
export function createCommitter(options: CreateCommitterOptions = {}) {
  const clock = new ManualClock();
  const store = new FakeStore();
  const books = new Counters();
  const holdings = new InFlightMessages({
    counters: books,
    clock,
    maxMessages: 1e4,
    maxCharacters: 1e9,
  });
  const batcher = new Batcher<Item>({ rows: 1e4, weight: 1e9, milliseconds: 200, clock });
  const stop = new AbortController();
  const { signal } = stop;
  const outage = new Outage({ probe: () => store.probe(), signal, clock, random: () => 1 });
  const aside: string[] = [];
  const committed: string[] = [];
  const committer = new Committer({
    batcher,
    store,
    keepRejected: options.keepRejected ?? (async (messages) => {
      aside.push(...messages.map(({ id }) => id));
      return messages.map(() => ({ bytes: new Uint8Array([1]), keyId: "v1" }));
    }),
    inFlight: holdings,
    counters: books,
    outage,
    onCommitted: (held) => void committed.push(...held.map(({ handle }) => handle)),
    signal,
  });
  const running = Promise.all(
    Array.from({ length: options.committers ?? 1 }, () => committer.run()),
  );
  // A test that expects a failure awaits it. Until then the rejection must not be unhandled.
  running.catch(() => {});
  return {
    clock,
    store,
    books,
    holdings,
    batcher,
    stop,
    outage,
    /** Ids of the messages whose bodies were sealed. */
    aside,
    /** Handles of the messages that were passed on for deletion. */
    committed,
    running,
    /** Takes a message and adds it to the batch, as a row or as `transformed`. */
    hold(id: string, transformed: Transformed = rowOf(id)): InFlightMessage {
      const held = holdings.add(writeMessage(id));
      ok(held);
      batcher.add({ entry: held, transformed });
      return held;
    },
  };
}

function rowOf(id: string): Transformed {
  return {
    kind: "row",
    row: { id, dateSent: "2026-02-03", values: [id] },
    personal: [],
    unknownFields: 1,
  };
}
