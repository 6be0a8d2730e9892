import { SQSClient, type SQSClientConfig } from "@aws-sdk/client-sqs";
import { SdkCalls, type SqsCalls } from "../../../lib/queue/sqs/calls.ts";
import { resolveEndpoint } from "../../../lib/queue/sqs/endpoint.ts";
import { SignedCalls } from "../../../lib/queue/sqs/signed_calls.ts";

/** The two implementations of the calls. A test that runs with both requires the same of both. */
export const makers = ["signed", "sdk"] as const;
export type Maker = typeof makers[number];

/** Creates a client as the program does, but independent of the environment. */
export function clientFor(endpoint: string, config: SQSClientConfig = {}): SQSClient {
  return new SQSClient({
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    maxAttempts: 1,
    useQueueUrlAsEndpoint: false,
    ...config,
  });
}

/** Opens calls to the endpoint of the client. */
export async function openCalls(
  maker: Maker,
  client: SQSClient,
  maxSockets = 10,
): Promise<SqsCalls> {
  if (maker === "sdk") return new SdkCalls(client);
  const endpoint = await resolveEndpoint(client, "http://127.0.0.1/0/q");
  return new SignedCalls({ client, endpoint, maxSockets });
}
