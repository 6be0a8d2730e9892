import { SQSClient } from "@aws-sdk/client-sqs";
import fc from "fast-check";
import { ok, strictEqual } from "node:assert";
import { RequestSigner, type RequestSignerOptions } from "../../../lib/queue/sqs/signature.ts";

// The published suite: https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-test-suite.html
const suite: RequestSignerOptions = {
  credentials: {
    accessKeyId: "AKIDEXAMPLE",
    secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  },
  region: "us-east-1",
  service: "service",
  method: "POST",
  path: "/",
  headers: { host: "example.amazonaws.com" },
};
const SUITE_TIME = "20150830T123600Z";
const SUITE_TOKEN =
  "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPf" +
  "IeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7W" +
  "Z0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8F" +
  "DrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";

for (
  const [name, options, body, signedHeaders, signature] of [
    [
      "get-vanilla",
      { method: "GET" },
      "",
      "host;x-amz-date",
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ],
    [
      "get-unreserved",
      {
        method: "GET",
        path: "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
      },
      "",
      "host;x-amz-date",
      "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
    ],
    [
      "post-vanilla",
      {},
      "",
      "host;x-amz-date",
      "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ],
    [
      "post-header-key-sort",
      { headers: { "my-header1": "value1", ...suite.headers } },
      "",
      "host;my-header1;x-amz-date",
      "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
    ],
    [
      "post-x-www-form-urlencoded",
      { headers: { "content-type": "application/x-www-form-urlencoded", ...suite.headers } },
      "Param1=value1",
      "content-type;host;x-amz-date",
      "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    ],
    [
      "post-sts-header-before",
      { credentials: { ...suite.credentials, sessionToken: SUITE_TOKEN } },
      "",
      "host;x-amz-date;x-amz-security-token",
      "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
    ],
  ] as const
) {
  Deno.test(`sign() signs as AWS does when the test of its suite is ${name}`, () => {
    const signer = new RequestSigner({ ...suite, ...options });
    strictEqual(
      signer.sign(SUITE_TIME, body),
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, " +
        `SignedHeaders=${signedHeaders}, Signature=${signature}`,
    );
  });
}

/** The part of the SDK's own signer that the tests call. */
interface SdkSigner {
  sign(
    request: object,
    options: { signingDate: Date; signingRegion: string; signingService: string },
  ): Promise<{ headers: Record<string, string> }>;
}

async function signBySdk(
  { credentials, region, service, method, path, headers }: RequestSignerOptions,
  time: Date,
  body: string,
): Promise<string | undefined> {
  const client = new SQSClient({
    region,
    credentials: {
      accessKeyId: credentials.accessKeyId,
      secretAccessKey: credentials.secretAccessKey,
      ...(credentials.sessionToken ? { sessionToken: credentials.sessionToken } : {}),
    },
  });
  // Otherwise it signs the body's digest as a header too, which only S3 requires.
  const signer = Object.assign(
    await client.config.signer() as object,
    { applyChecksum: false },
  ) as unknown as SdkSigner;
  const request = { method, path, query: {}, headers: { ...headers }, body, protocol: "https:" };
  const { headers: signed } = await signer.sign(request, {
    signingDate: time,
    signingRegion: region,
    signingService: service,
  });
  client.destroy();
  return signed["authorization"];
}

const printable = (minLength: number) =>
  fc.string({ minLength, maxLength: 60 }).map((text) => text.replace(/[^!-~]/g, "x"));

Deno.test("sign() signs as the SDK does when credentials, region and body are any", async () => {
  const cases = fc.record({
    accessKeyId: printable(1),
    secretAccessKey: fc.string({ minLength: 1, maxLength: 80 }),
    sessionToken: fc.option(printable(1), { nil: undefined }),
    region: fc.constantFrom("eu-west-3", "us-gov-east-1", "cn-north-1", "mars-central-7", "x"),
    service: fc.constantFrom("sqs", "service"),
    action: printable(1),
    body: fc.oneof(
      fc.string({ unit: "binary", maxLength: 400 }),
      fc.json(),
      fc.string({ unit: "grapheme", minLength: 1_000, maxLength: 3_000 }),
    ),
    time: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date("2100-01-01") }),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ region, service, action, body, time, ...credentials }) => {
      const options: RequestSignerOptions = {
        credentials,
        region,
        service,
        method: "POST",
        path: "/",
        headers: {
          "content-type": "application/x-amz-json-1.0",
          host: "sqs.eu-west-3.amazonaws.com",
          "x-amz-target": `AmazonSQS.${action}`,
          "x-amzn-query-mode": "true",
        },
      };
      const written = time.toISOString().replace(/[-:]|\.\d{3}/g, "");
      strictEqual(
        new RequestSigner(options).sign(written, body),
        await signBySdk(options, time, body),
      );
    }),
    { numRuns: 200 },
  );
});

Deno.test("sign() derives another key when the day changes, and when it changes back", () => {
  const signer = new RequestSigner(suite);
  const first = signer.sign(SUITE_TIME, "");
  const next = signer.sign("20150831T123600Z", "");
  ok(next.includes("/20150831/us-east-1/"));
  strictEqual(next, new RequestSigner(suite).sign("20150831T123600Z", ""));
  strictEqual(signer.sign(SUITE_TIME, ""), first);
});

Deno.test("sign() computes a new signature when only the body or only the time differs", () => {
  const signer = new RequestSigner(suite);
  const requests = [["20150830T123600Z", "a"], ["20150830T123600Z", "b"], [
    "20150830T123601Z",
    "b",
  ]] as const;
  for (const [time, body] of requests) {
    strictEqual(signer.sign(time, body), new RequestSigner(suite).sign(time, body));
  }
});
