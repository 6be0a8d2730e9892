import { ReceiveMessageCommand, SQSClient, type SQSClientConfig } from "@aws-sdk/client-sqs";
import { deepStrictEqual, rejects } from "node:assert";
import { resolveEndpoint } from "../../../lib/queue/sqs/endpoint.ts";

interface SentRequest {
  readonly protocol: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Returns where the SDK would send a request. */
async function requestOf(config: SQSClientConfig) {
  const sent = Promise.withResolvers<SentRequest>();
  const client = new SQSClient({
    ...config,
    requestHandler: {
      handle: (request: SentRequest) => {
        sent.resolve(request);
        return Promise.reject(new Error("Not sent"));
      },
    },
  } as SQSClientConfig);
  await client.send(new ReceiveMessageCommand({ QueueUrl: "https://x.invalid/1/q" }))
    .catch(sent.reject);
  const { protocol, path, headers } = await sent.promise;
  const [, region] = /Credential=[^/]+\/\d+\/([^/]+)\//.exec(headers["authorization"] ?? "") ?? [];
  return { protocol, path, host: headers["host"], region };
}

const credentials = { accessKeyId: "test", secretAccessKey: "test" };
const base = { credentials, maxAttempts: 1, useQueueUrlAsEndpoint: false } as const;

for (
  const [what, config] of [
    ["a region of AWS", { region: "eu-west-3" }],
    ["a region of another partition", { region: "cn-north-1" }],
    ["FIPS", { region: "us-east-2", useFipsEndpoint: true }],
    ["FIPS for the government", { region: "us-gov-west-1", useFipsEndpoint: true }],
    ["dual stack", { region: "eu-north-1", useDualstackEndpoint: true }],
    ["both", { region: "us-east-1", useFipsEndpoint: true, useDualstackEndpoint: true }],
    ["a custom endpoint", { region: "us-east-1", endpoint: "http://127.0.0.1:4566" }],
    ["an endpoint with a path", {
      region: "us-east-1",
      endpoint: "https://proxy.example/aws/s%20q",
    }],
    ["an endpoint with the default port", {
      region: "us-east-1",
      endpoint: "https://proxy.example:443",
    }],
    ["an IPv6 address", { region: "us-east-1", endpoint: "http://[::1]:4566" }],
  ] as const satisfies readonly (readonly [string, SQSClientConfig])[]
) {
  Deno.test(`resolveEndpoint() returns what the SDK uses when the client has ${what}`, async () => {
    const client = new SQSClient({ ...base, ...config });
    const { protocol, path, host, region } = await resolveEndpoint(client, "https://x.invalid/1/q");
    deepStrictEqual({ protocol, path, host, region }, await requestOf({ ...base, ...config }));
    client.destroy();
  });
}

Deno.test("resolveEndpoint() uses AWS_ENDPOINT_URL_SQS when it is set", async () => {
  Deno.env.set("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:4567/base");
  try {
    const client = new SQSClient({ ...base, region: "us-east-1" });
    const { host, path, hostname, port } = await resolveEndpoint(client, "https://x.invalid/1/q");
    deepStrictEqual([host, path, hostname, port], [
      "127.0.0.1:4567",
      "/base/",
      "127.0.0.1",
      4567,
    ]);
    client.destroy();
  } finally {
    Deno.env.delete("AWS_ENDPOINT_URL_SQS");
  }
});

Deno.test("resolveEndpoint() encodes a path a second time for the signature, as the SDK does", async () => {
  const client = new SQSClient({
    ...base,
    region: "us-east-1",
    endpoint: "https://proxy.example/aws/s%20q(1)",
  });
  const { path, canonicalPath } = await resolveEndpoint(client, "https://x.invalid/1/q");
  deepStrictEqual([path, canonicalPath], ["/aws/s%20q(1)/", "/aws/s%2520q%281%29/"]);
  client.destroy();
});

Deno.test("resolveEndpoint() fails when the endpoint does not exist", async () => {
  const client = new SQSClient({
    ...base,
    region: "us-east-1",
    endpoint: "http://127.0.0.1:1",
    useFipsEndpoint: true,
  });
  await rejects(resolveEndpoint(client, "https://x.invalid/1/q"), /FIPS/);
  client.destroy();
});
