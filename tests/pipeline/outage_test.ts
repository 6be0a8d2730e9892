import { reset } from "@logtape/logtape";
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert";
import { startLog } from "../../lib/observe/log.ts";
import { Outage } from "../../lib/pipeline/outage.ts";
import { StoreError } from "../../lib/store/store.ts";
import { countListeners } from "../support/listeners.ts";
import { ManualClock, settle } from "../support/manual_clock.ts";

const unavailable = new StoreError("transient", "57P01", "Postgres refused with SQLSTATE 57P01");

/** Creates an outage whose probe fails while `state.isDown`, and whose delays are the longest possible. */
function create() {
  const clock = new ManualClock();
  const stop = new AbortController();
  const state = { isDown: true, probes: 0 };
  const outage = new Outage({
    async probe() {
      state.probes++;
      if (state.isDown) throw unavailable;
    },
    signal: stop.signal,
    clock,
    random: () => 1,
  });
  return { clock, stop, state, outage };
}

/** Waits for recovery. The returned function reports whether the wait is over. */
function wait(outage: Outage): () => boolean {
  let over = false;
  void outage.waitForRecovery(unavailable).then(() => over = true);
  return () => over;
}

Deno.test("isActive is false when nothing has failed", () => {
  strictEqual(create().outage.isActive, false);
});

Deno.test("waitForRecovery() makes the outage active at once", () => {
  const { outage } = create();
  void outage.waitForRecovery(unavailable);
  strictEqual(outage.isActive, true);
});

Deno.test("waitForRecovery() waits while the probe fails, and ends when it succeeds", async () => {
  const { outage, clock, state } = create();
  const over = wait(outage);
  await clock.advance(60_000);
  strictEqual(over(), false);
  state.isDown = false;
  await clock.advance(30_000);
  strictEqual(over(), true);
});

Deno.test("waitForRecovery() runs one probe for all callers when several committers wait", async () => {
  const { outage, clock, state } = create();
  const waiting = [wait(outage), wait(outage), wait(outage)];
  state.isDown = false;
  await clock.advance(100);
  ok(waiting.every((over) => over()));
  strictEqual(state.probes, 1);
});

Deno.test("waitForRecovery() backs off up to 30 s between probes when the store stays unavailable", async () => {
  const { outage, clock, state } = create();
  void outage.waitForRecovery(unavailable);
  await clock.advance(100 + 200 + 400);
  strictEqual(state.probes, 3);
  await clock.advance(3_600_000);
  const before = state.probes;
  await clock.advance(300_000);
  strictEqual(state.probes - before, 10);
});

Deno.test("waitForRecovery() continues the backoff when the probe succeeds but commits still fail", async () => {
  const { outage, clock, state } = create();
  state.isDown = false;
  for (const delay of [100, 200, 400, 800]) {
    const over = wait(outage);
    await clock.advance(delay - 1);
    strictEqual(over(), false);
    await clock.advance(1);
    strictEqual(over(), true);
  }
});

Deno.test("waitForRecovery() starts with the shortest delay when a commit succeeded in between", async () => {
  const { outage, clock, state } = create();
  state.isDown = false;
  void outage.waitForRecovery(unavailable);
  await clock.advance(10_000);
  outage.recover();
  const over = wait(outage);
  await clock.advance(100);
  strictEqual(over(), true);
});

Deno.test("isActive stays true when the probe succeeded and no commit has succeeded yet", async () => {
  const { outage, clock, state } = create();
  void outage.waitForRecovery(unavailable);
  state.isDown = false;
  await clock.advance(100);
  strictEqual(outage.isActive, true);
});

Deno.test("recover() ends the outage", async () => {
  const { outage } = create();
  void outage.waitForRecovery(unavailable);
  outage.recover();
  strictEqual(outage.isActive, false);
});

// In an earlier version a late probe changed the state from "up" to "trying": receiving paused for no reason.
Deno.test("recover() is final when a probe for another committer starts later", async () => {
  const { outage, clock, state } = create();
  const over = wait(outage);
  state.isDown = false;
  outage.recover();
  await clock.advance(1_000);
  strictEqual(outage.isActive, false);
  strictEqual(over(), true);
  strictEqual(state.probes, 0);
});

Deno.test("recover() is final when a probe is in progress", async () => {
  const clock = new ManualClock();
  const { signal } = new AbortController();
  const probing = Promise.withResolvers<void>();
  const outage = new Outage({ probe: () => probing.promise, signal, clock, random: () => 1 });
  void outage.waitForRecovery(unavailable);
  await clock.advance(100);
  outage.recover();
  probing.resolve();
  await settle();
  strictEqual(outage.isActive, false);
});

Deno.test("waitForRecovery() ends at once and leaves no timer when the signal aborts", async () => {
  const { outage, clock, stop } = create();
  const waiting = outage.waitForRecovery(unavailable);
  await settle();
  stop.abort();
  await waiting;
  strictEqual(clock.sleeping, 0);
});

Deno.test("waitUntilUp() resolves at once when the store is up", async () => {
  await create().outage.waitUntilUp(new AbortController().signal);
});

Deno.test("waitUntilUp() waits for a commit to succeed when the store is unavailable", async () => {
  const { outage, clock, state } = create();
  void outage.waitForRecovery(unavailable);
  let up = false;
  void outage.waitUntilUp(new AbortController().signal).then(() => up = true);
  state.isDown = false;
  await clock.advance(10_000);
  strictEqual(up, false);
  outage.recover();
  await settle();
  strictEqual(up, true);
});

Deno.test("waitUntilUp() ends when its own signal aborts", async () => {
  const { outage } = create();
  void outage.waitForRecovery(unavailable);
  const stop = new AbortController();
  const waiting = outage.waitUntilUp(stop.signal);
  stop.abort();
  await waiting;
});

Deno.test("waitUntilUp() leaves no listener on its signal when there were many outages", async () => {
  const { outage } = create();
  const { signal } = new AbortController();
  const listeners = countListeners(signal);
  for (let i = 0; i < 100; i++) {
    void outage.waitForRecovery(unavailable);
    const waiting = outage.waitUntilUp(signal);
    outage.recover();
    await waiting;
  }
  strictEqual(listeners(), 0);
});

/** Collects the warnings that are logged while `work` runs. */
async function collectWarnings(work: () => Promise<void>): Promise<string[]> {
  const lines: string[] = [];
  await startLog({ level: "warning", format: "json", write: (line) => void lines.push(line) });
  try {
    await work();
  } finally {
    await reset();
  }
  return lines.map((line) => JSON.parse(line).message);
}

Deno.test("waitForRecovery() logs each change of the cause once when a failover stays read-only", async () => {
  const clock = new ManualClock();
  const { signal } = new AbortController();
  let code = "57P01";
  const probe = () => Promise.reject(new StoreError("transient", code, "Postgres refused"));
  const warnings = await collectWarnings(async () => {
    const outage = new Outage({ probe, signal, clock, random: () => 1 });
    void outage.waitForRecovery(unavailable);
    await clock.advance(300);
    code = "25006";
    await clock.advance(60_000);
  });
  deepStrictEqual(warnings, [
    "The store is unavailable (57P01). Receiving stops, and messages in flight are kept",
    "The store is still unavailable, now with 25006 instead of 57P01",
  ]);
});

Deno.test("waitForRecovery() logs the cause of a commit that fails during the outage", async () => {
  const { outage } = create();
  const warnings = await collectWarnings(() => {
    void outage.waitForRecovery(unavailable);
    void outage.waitForRecovery(new StoreError("transient", "25006", "Postgres refused"));
    return Promise.resolve();
  });
  match(warnings[1] ?? "", /now with 25006 instead of 57P01$/);
});

Deno.test("waitForRecovery() throws the probe's error when it is a bug", async () => {
  const clock = new ManualClock();
  const { signal } = new AbortController();
  const probe = () => Promise.reject(new TypeError("zq7"));
  const outage = new Outage({ probe, signal, clock, random: () => 1 });
  const waiting = rejects(outage.waitForRecovery(unavailable), TypeError);
  await clock.advance(100);
  await waiting;
});
