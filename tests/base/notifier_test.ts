import { deepStrictEqual, strictEqual } from "node:assert";
import { Notifier } from "../../lib/base/notifier.ts";
import { countListeners } from "../support/listeners.ts";
import { settle } from "../support/manual_clock.ts";

Deno.test("notify() wakes all waiters in the order of their calls when several wait", async () => {
  const notifier = new Notifier();
  const { signal } = new AbortController();
  const woken: number[] = [];
  for (const name of [1, 2, 3]) void notifier.wait(signal).then(() => woken.push(name));
  notifier.notify();
  await settle();
  deepStrictEqual(woken, [1, 2, 3]);
});

Deno.test("notify() does not wake later waiters", async () => {
  const notifier = new Notifier();
  notifier.notify();
  void notifier.wait(new AbortController().signal);
  await settle();
  strictEqual(notifier.size, 1);
});

Deno.test("wait() resolves when its signal aborts", async () => {
  const notifier = new Notifier();
  const stop = new AbortController();
  const waiting = notifier.wait(stop.signal);
  stop.abort();
  await waiting;
  strictEqual(notifier.size, 0);
});

Deno.test("wait() resolves at once when its signal has already aborted", async () => {
  await new Notifier().wait(AbortSignal.abort());
});

Deno.test("wait() leaves no listener on its signal when it was notified", async () => {
  const notifier = new Notifier();
  const { signal } = new AbortController();
  const listeners = countListeners(signal);
  for (let i = 0; i < 100; i++) {
    const waiting = notifier.wait(signal);
    notifier.notify();
    await waiting;
  }
  strictEqual(listeners(), 0);
});
