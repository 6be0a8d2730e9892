import { strictEqual } from "node:assert";
import { createSqsClient } from "../../../lib/queue/sqs/sdk_client.ts";

/** Runs `work` while the variables have these values. `undefined` unsets one. */
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

async function readRegion(url: string): Promise<string> {
  const client = createSqsClient(new URL(url), 10);
  const region = await client.config.region();
  client.destroy();
  return region;
}

Deno.test("createSqsClient() uses the region in the queue's host when none is configured", async () => {
  await withVariables(unset, async () => {
    strictEqual(await readRegion("https://sqs.eu-west-3.amazonaws.com/1/q"), "eu-west-3");
    strictEqual(await readRegion("https://sqs-fips.us-east-2.amazonaws.com/1/q"), "us-east-2");
    strictEqual(await readRegion("https://sqs.cn-north-1.amazonaws.com.cn/1/q"), "cn-north-1");
    strictEqual(await readRegion("https://sqs.eu-north-1.api.aws/1/q"), "eu-north-1");
    strictEqual(await readRegion("https://eu-west-1.queue.amazonaws.com/1/q"), "eu-west-1");
    strictEqual(await readRegion("http://127.0.0.1:4566/1/q"), "us-east-1");
  });
});

Deno.test("createSqsClient() prefers the configured region when the host has another one", async () => {
  await withVariables({ ...unset, AWS_REGION: "ap-south-1" }, async () => {
    strictEqual(await readRegion("https://sqs.eu-west-3.amazonaws.com/1/q"), "ap-south-1");
  });
});

Deno.test("createSqsClient() calls the queue's own host when it is outside of AWS", async () => {
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

Deno.test("createSqsClient() does not set the endpoint when one is configured", async () => {
  await withVariables({ ...unset, AWS_ENDPOINT_URL_SQS: "http://127.0.0.1:1" }, async () => {
    const client = createSqsClient(new URL("http://127.0.0.1:4566/000000000000/q"), 10);
    strictEqual(client.config.endpoint, undefined);
    client.destroy();
  });
});

Deno.test("createSqsClient() never retries a call", async () => {
  const client = createSqsClient(new URL("https://sqs.eu-west-3.amazonaws.com/1/q"), 10);
  strictEqual(await client.config.maxAttempts(), 1);
  client.destroy();
});
