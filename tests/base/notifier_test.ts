import { deepStrictEqual, strictEqual } from "node:assert";
import { Notifier } from "../../lib/base/notifier.ts";
import { countListeners } from "../support/listeners.ts";
import { settle } from "../support/manual_clock.ts";

Deno.test("notify() wakes all waiters in the order in which they came when several wait", async () => {
  const bell = new Notifier();
  const { signal } = new AbortController();
  const woken: number[] = [];
  for (const name of [1, 2, 3]) void bell.wait(signal).then(() => woken.push(name));
  bell.notify();
  await settle();
  deepStrictEqual(woken, [1, 2, 3]);
});

Deno.test("notify() does not wake later waiters", async () => {
  const bell = new Notifier();
  bell.notify();
  void bell.wait(new AbortController().signal);
  await settle();
  strictEqual(bell.size, 1);
});

Deno.test("wait() resolves when its signal aborts", async () => {
  const bell = new Notifier();
  const stop = new AbortController();
  const waiting = bell.wait(stop.signal);
  stop.abort();
  await waiting;
  strictEqual(bell.size, 0);
});

Deno.test("wait() resolves at once when its signal has aborted", async () => {
  await new Notifier().wait(AbortSignal.abort());
});

Deno.test("wait() leaves no listener on its signal when it was woken", async () => {
  const bell = new Notifier();
  const { signal } = new AbortController();
  const listeners = countListeners(signal);
  for (let i = 0; i < 100; i++) {
    const waiting = bell.wait(signal);
    bell.notify();
    await waiting;
  }
  strictEqual(listeners(), 0);
});
