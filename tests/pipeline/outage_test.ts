import { ok, strictEqual } from "node:assert";
import { Outage } from "../../lib/pipeline/outage.ts";
import { StoreError } from "../../lib/store/store.ts";
import { countListeners } from "../support/listeners.ts";
import { ManualClock, settle } from "../support/manual_clock.ts";

const away = new StoreError("transient", "57P01", "Postgres refused with SQLSTATE 57P01");

/** An outage whose probe fails while `state.away`, and whose delays are the longest possible. */
function create() {
  const clock = new ManualClock();
  const stop = new AbortController();
  const state = { away: true, probes: 0 };
  const outage = new Outage({
    async probe() {
      state.probes++;
      if (state.away) throw away;
    },
    signal: stop.signal,
    clock,
    random: () => 1,
  });
  return { clock, stop, state, outage };
}

/** Waits, and tells whether the wait is over. */
function wait(outage: Outage): () => boolean {
  let over = false;
  void outage.waitForRecovery(away).then(() => over = true);
  return () => over;
}

Deno.test("active is false when nothing has failed", () => {
  strictEqual(create().outage.isActive, false);
});

Deno.test("wait() makes the outage active at once", () => {
  const { outage } = create();
  void outage.waitForRecovery(away);
  strictEqual(outage.isActive, true);
});

Deno.test("wait() waits while the probe fails, and ends when it succeeds", async () => {
  const { outage, clock, state } = create();
  const over = wait(outage);
  await clock.advance(60_000);
  strictEqual(over(), false);
  state.away = false;
  await clock.advance(30_000);
  strictEqual(over(), true);
});

Deno.test("wait() probes once for all when several committers wait", async () => {
  const { outage, clock, state } = create();
  const waiting = [wait(outage), wait(outage), wait(outage)];
  state.away = false;
  await clock.advance(100);
  ok(waiting.every((over) => over()));
  strictEqual(state.probes, 1);
});

Deno.test("wait() probes ever more seldom, up to every 30 s, when the store stays away", async () => {
  const { outage, clock, state } = create();
  void outage.waitForRecovery(away);
  await clock.advance(100 + 200 + 400);
  strictEqual(state.probes, 3);
  await clock.advance(3_600_000);
  const before = state.probes;
  await clock.advance(300_000);
  strictEqual(state.probes - before, 10);
});

Deno.test("wait() goes on backing off when the probe succeeds but commits still fail", async () => {
  const { outage, clock, state } = create();
  state.away = false;
  for (const delay of [100, 200, 400, 800]) {
    const over = wait(outage);
    await clock.advance(delay - 1);
    strictEqual(over(), false);
    await clock.advance(1);
    strictEqual(over(), true);
  }
});

Deno.test("wait() starts with the shortest delay when a commit succeeded in between", async () => {
  const { outage, clock, state } = create();
  state.away = false;
  void outage.waitForRecovery(away);
  await clock.advance(10_000);
  outage.recover();
  const over = wait(outage);
  await clock.advance(100);
  strictEqual(over(), true);
});

Deno.test("active stays true when the probe succeeded and no commit has yet", async () => {
  const { outage, clock, state } = create();
  void outage.waitForRecovery(away);
  state.away = false;
  await clock.advance(100);
  strictEqual(outage.isActive, true);
});

Deno.test("recover() ends the outage", async () => {
  const { outage } = create();
  void outage.waitForRecovery(away);
  outage.recover();
  strictEqual(outage.isActive, false);
});

// The late probe used to set the state from "up" to "trying": receiving paused for no reason.
Deno.test("recover() is final when a probe for another committer is still to come", async () => {
  const { outage, clock, state } = create();
  const over = wait(outage);
  state.away = false;
  outage.recover();
  await clock.advance(1_000);
  strictEqual(outage.isActive, false);
  strictEqual(over(), true);
  strictEqual(state.probes, 0);
});

Deno.test("recover() is final when a probe is under way", async () => {
  const clock = new ManualClock();
  const { signal } = new AbortController();
  const probing = Promise.withResolvers<void>();
  const outage = new Outage({ probe: () => probing.promise, signal, clock, random: () => 1 });
  void outage.waitForRecovery(away);
  await clock.advance(100);
  outage.recover();
  probing.resolve();
  await settle();
  strictEqual(outage.isActive, false);
});

Deno.test("wait() ends at once and leaves no timer when the signal aborts", async () => {
  const { outage, clock, stop } = create();
  const waiting = outage.waitForRecovery(away);
  await settle();
  stop.abort();
  await waiting;
  strictEqual(clock.sleeping, 0);
});

Deno.test("whenUp() resolves at once when the store is there", async () => {
  await create().outage.waitUntilUp(new AbortController().signal);
});

Deno.test("whenUp() waits for a commit to succeed when the store is away", async () => {
  const { outage, clock, state } = create();
  void outage.waitForRecovery(away);
  let up = false;
  void outage.waitUntilUp(new AbortController().signal).then(() => up = true);
  state.away = false;
  await clock.advance(10_000);
  strictEqual(up, false);
  outage.recover();
  await settle();
  strictEqual(up, true);
});

Deno.test("whenUp() ends when its own signal aborts", async () => {
  const { outage } = create();
  void outage.waitForRecovery(away);
  const stop = new AbortController();
  const waiting = outage.waitUntilUp(stop.signal);
  stop.abort();
  await waiting;
});

Deno.test("whenUp() leaves no listener on its signal when there were many outages", async () => {
  const { outage } = create();
  const { signal } = new AbortController();
  const listeners = countListeners(signal);
  for (let i = 0; i < 100; i++) {
    void outage.waitForRecovery(away);
    const waiting = outage.waitUntilUp(signal);
    outage.recover();
    await waiting;
  }
  strictEqual(listeners(), 0);
});
