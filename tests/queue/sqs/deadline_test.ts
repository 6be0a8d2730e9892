import { ok, rejects, strictEqual } from "node:assert";
import { type CallScope, withDeadline, withSdkDeadline } from "../../../lib/queue/sqs/deadline.ts";
import { countListeners } from "../../support/listeners.ts";
import { settle } from "../../support/manual_clock.ts";

const never = () => new Promise<never>(() => {});

Deno.test("withSdkDeadline() returns what the call returns", async () => {
  strictEqual(await withSdkDeadline("ask", 5, () => Promise.resolve(7)), 7);
});

Deno.test("withSdkDeadline() fails with `deadline` and aborts the call when it takes too long", async () => {
  let signal: AbortSignal | undefined;
  const call = (given: AbortSignal) => {
    signal = given;
    return never();
  };
  await rejects(withSdkDeadline("ask", 0.001, call), {
    name: "QueueError",
    code: "deadline",
    message: "Could not ask: deadline",
  });
  strictEqual(signal?.aborted, true);
});

// In an earlier version a call that ignores its signal, as during a wait for credentials, had no deadline.
Deno.test("withSdkDeadline() fails when the call ignores its signal", async () => {
  await rejects(withSdkDeadline("ask", 0.001, never), { code: "deadline" });
});

Deno.test("withSdkDeadline() fails and aborts the call when the outer signal aborts", async () => {
  const outer = new AbortController();
  let signal: AbortSignal | undefined;
  const asking = withSdkDeadline("ask", 60, (given) => {
    signal = given;
    return never();
  }, outer.signal);
  outer.abort();
  await rejects(asking, { name: "QueueError", code: "AbortError" });
  strictEqual(signal?.aborted, true);
});

Deno.test("withSdkDeadline() fails when the outer signal has already aborted", async () => {
  await rejects(withSdkDeadline("ask", 60, never, AbortSignal.abort()), { code: "AbortError" });
});

// The outer signal lives as long as the worker, and remembered every signal that `AbortSignal.any` created.
Deno.test("withSdkDeadline() leaves no listener on the outer signal when it has ended", async () => {
  const { signal } = new AbortController();
  const listeners = countListeners(signal);
  for (let i = 0; i < 100; i++) await withSdkDeadline("ask", 60, () => Promise.resolve(), signal);
  await rejects(withSdkDeadline("ask", 0.001, never, signal));
  strictEqual(listeners(), 0);
});

Deno.test("withSdkDeadline() uses the error's code, or its name when it has no code", async () => {
  const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  await rejects(withSdkDeadline("ask", 5, () => Promise.reject(refused)), { code: "ECONNREFUSED" });
  const throttled = Object.assign(new Error("Slow down"), { name: "RequestThrottled" });
  await rejects(withSdkDeadline("ask", 5, () => Promise.reject(throttled)), {
    code: "RequestThrottled",
  });
  await rejects(withSdkDeadline("ask", 5, () => Promise.reject("text")), { code: "unknown" });
});

Deno.test("withSdkDeadline() repeats nothing of the error's text when the call fails", async () => {
  const failing = () => Promise.reject(new Error("The body was canary-4711"));
  const error = await withSdkDeadline("ask", 5, failing).then(() => undefined, (reason) => reason);
  ok(error instanceof Error);
  strictEqual(error.cause, undefined);
  ok(!`${error.message} ${error.stack}`.includes("canary-4711"), error.message);
});

Deno.test("withSdkDeadline() ignores a failure when it happens after the deadline", async () => {
  const call = Promise.withResolvers<never>();
  await rejects(withSdkDeadline("ask", 0.001, () => call.promise), { code: "deadline" });
  // An unhandled rejection would end the test run here.
  call.reject(new Error("Too late"));
  await settle();
});

// An earlier version began the call, and did not wait for it.
Deno.test("withDeadline() does not begin the call when the outer signal has already aborted", async () => {
  let begun = false;
  const call = () => {
    begun = true;
    return never();
  };
  await rejects(withDeadline("ask", 5, call, AbortSignal.abort()), { code: "AbortError" });
  strictEqual(begun, false);
});

Deno.test("withDeadline() uses the error's code when the call throws before it waits", async () => {
  const failing = () => {
    throw new TypeError("A fault of the program");
  };
  await rejects(withDeadline("ask", 5, failing), { code: "TypeError" });
});

Deno.test("withDeadline() drops the call once, and marks its scope as over, when it takes too long", async () => {
  const outer = new AbortController();
  let drops = 0;
  let over: () => boolean = () => false;
  const call = (scope: CallScope) => {
    scope.drop = () => drops++;
    over = () => scope.isOver;
    return never();
  };
  await rejects(withDeadline("ask", 0.001, call, outer.signal), { code: "deadline" });
  outer.abort();
  strictEqual(drops, 1);
  strictEqual(over(), true);
});

Deno.test("withDeadline() drops nothing when the call has ended", async () => {
  const outer = new AbortController();
  let drops = 0;
  await withDeadline("ask", 60, (scope) => {
    scope.drop = () => drops++;
    return Promise.resolve();
  }, outer.signal);
  outer.abort();
  strictEqual(drops, 0);
});
