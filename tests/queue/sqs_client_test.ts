import { ok, rejects, strictEqual } from "node:assert";
import { createSqsClient, withDeadline } from "../../lib/queue/sqs_client.ts";
import { countListeners } from "../support/listeners.ts";
import { settle } from "../support/manual_clock.ts";

const never = () => new Promise<never>(() => {});

/** Runs `work` while the variables have these values; undefined unsets one. */
async function withVariables(
  variables: Readonly<Record<string, string | undefined>>,
  work: () => Promise<void>,
): Promise<void> {
  const before = Object.keys(variables).map((name) => [name, Deno.env.get(name)] as const);
  const set = (name: string, value: string | undefined) =>
    value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
  for (const [name, value] of Object.entries(variables)) set(name, value);
  try {
    await work();
  } finally {
    for (const [name, value] of before) set(name, value);
  }
}

const unset = {
  AWS_REGION: undefined,
  AWS_ENDPOINT_URL: undefined,
  AWS_ENDPOINT_URL_SQS: undefined,
};

async function regionOf(url: string): Promise<string> {
  const client = createSqsClient(new URL(url), 10);
  const region = await client.config.region();
  client.destroy();
  return region;
}

Deno.test("createSqsClient() takes the region from the queue's host when none is configured", async () => {
  await withVariables(unset, async () => {
    strictEqual(await regionOf("https://sqs.eu-west-3.amazonaws.com/1/q"), "eu-west-3");
    strictEqual(await regionOf("https://sqs-fips.us-east-2.amazonaws.com/1/q"), "us-east-2");
    strictEqual(await regionOf("https://sqs.cn-north-1.amazonaws.com.cn/1/q"), "cn-north-1");
    strictEqual(await regionOf("https://sqs.eu-north-1.api.aws/1/q"), "eu-north-1");
    strictEqual(await regionOf("https://eu-west-1.queue.amazonaws.com/1/q"), "eu-west-1");
    strictEqual(await regionOf("http://127.0.0.1:4566/1/q"), "us-east-1");
  });
});

Deno.test("createSqsClient() takes the region that is configured before the host's", async () => {
  await withVariables({ ...unset, AWS_REGION: "ap-south-1" }, async () => {
    strictEqual(await regionOf("https://sqs.eu-west-3.amazonaws.com/1/q"), "ap-south-1");
  });
});

Deno.test("createSqsClient() asks the queue's own host when it is outside of AWS", async () => {
  await withVariables(unset, async () => {
    const client = createSqsClient(new URL("http://127.0.0.1:4566/000000000000/q"), 10);
    const endpoint = await client.config.endpoint?.();
    strictEqual(
      `${endpoint?.protocol}//${endpoint?.hostname}:${endpoint?.port}`,
      "http://127.0.0.1:4566",
    );
    client.destroy();
  });
});

Deno.test("createSqsClient() leaves the endpoint to the SDK when one is configured", async () => {
  await withVariables({ ...unset, AWS_ENDPOINT_URL_SQS: "http://127.0.0.1:1" }, async () => {
    const client = createSqsClient(new URL("http://127.0.0.1:4566/000000000000/q"), 10);
    strictEqual(client.config.endpoint, undefined);
    client.destroy();
  });
});

Deno.test("createSqsClient() never tries again by itself", async () => {
  const client = createSqsClient(new URL("https://sqs.eu-west-3.amazonaws.com/1/q"), 10);
  strictEqual(await client.config.maxAttempts(), 1);
  client.destroy();
});

Deno.test("withDeadline() gives what the call gives", async () => {
  strictEqual(await withDeadline("ask", 5, () => Promise.resolve(7)), 7);
});

Deno.test("withDeadline() fails with `deadline` and aborts the call when it takes too long", async () => {
  let signal: AbortSignal | undefined;
  const call = (given: AbortSignal) => {
    signal = given;
    return never();
  };
  await rejects(withDeadline("ask", 0.001, call), {
    name: "QueueError",
    code: "deadline",
    message: "Could not ask: deadline",
  });
  strictEqual(signal?.aborted, true);
});

// A call that does not look at its signal, as while the SDK waits for credentials, had no deadline.
Deno.test("withDeadline() fails when the call ignores its signal", async () => {
  await rejects(withDeadline("ask", 0.001, never), { code: "deadline" });
});

Deno.test("withDeadline() fails and aborts the call when the outer signal aborts", async () => {
  const outer = new AbortController();
  let signal: AbortSignal | undefined;
  const asking = withDeadline("ask", 60, (given) => {
    signal = given;
    return never();
  }, outer.signal);
  outer.abort();
  await rejects(asking, { name: "QueueError", code: "AbortError" });
  strictEqual(signal?.aborted, true);
});

Deno.test("withDeadline() fails when the outer signal has aborted before", async () => {
  await rejects(withDeadline("ask", 60, never, AbortSignal.abort()), { code: "AbortError" });
});

// What `AbortSignal.any` made was remembered by the outer signal, which lives as long as the worker.
Deno.test("withDeadline() leaves no listener on the outer signal when it has ended", async () => {
  const { signal } = new AbortController();
  const listeners = countListeners(signal);
  for (let i = 0; i < 100; i++) await withDeadline("ask", 60, () => Promise.resolve(), signal);
  await rejects(withDeadline("ask", 0.001, never, signal));
  strictEqual(listeners(), 0);
});

Deno.test("withDeadline() takes a code when the error has one, and its name otherwise", async () => {
  const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  await rejects(withDeadline("ask", 5, () => Promise.reject(refused)), { code: "ECONNREFUSED" });
  const throttled = Object.assign(new Error("Slow down"), { name: "RequestThrottled" });
  await rejects(withDeadline("ask", 5, () => Promise.reject(throttled)), {
    code: "RequestThrottled",
  });
  await rejects(withDeadline("ask", 5, () => Promise.reject("text")), { code: "unknown" });
});

Deno.test("withDeadline() repeats nothing of the text when the call fails", async () => {
  const failing = () => Promise.reject(new Error("The body was canary-4711"));
  const error = await withDeadline("ask", 5, failing).then(() => undefined, (reason) => reason);
  ok(error instanceof Error);
  strictEqual(error.cause, undefined);
  ok(!`${error.message} ${error.stack}`.includes("canary-4711"), error.message);
});

Deno.test("withDeadline() leaves a failure alone when it comes after the deadline", async () => {
  const call = Promise.withResolvers<never>();
  await rejects(withDeadline("ask", 0.001, () => call.promise), { code: "deadline" });
  // Were nobody to catch it, the test run would end here.
  call.reject(new Error("Too late"));
  await settle();
});

Deno.test("withDeadline() throws the call's error once when the outer signal aborted too", async () => {
  const failing = () => {
    throw new TypeError("A fault of the program");
  };
  await rejects(withDeadline("ask", 5, failing, AbortSignal.abort()), { code: "TypeError" });
  await settle();
});
