import { SQSClient, type SQSClientConfig } from "@aws-sdk/client-sqs";
import { SdkCalls, type SqsCalls } from "../../../lib/queue/sqs/calls.ts";
import { resolveEndpoint } from "../../../lib/queue/sqs/endpoint.ts";
import { SignedCalls } from "../../../lib/queue/sqs/signed_calls.ts";

/** Who makes the calls: what holds for the one must hold for the other. */
export const makers = ["signed", "sdk"] as const;
export type Maker = typeof makers[number];

/** A client as the program's own, but for the environment. */
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

/** Calls to the endpoint of the client. */
export async function openCalls(
  maker: Maker,
  client: SQSClient,
  maxSockets = 10,
): Promise<SqsCalls> {
  if (maker === "sdk") return new SdkCalls(client);
  const endpoint = await resolveEndpoint(client, "http://127.0.0.1/0/q");
  return new SignedCalls({ client, endpoint, maxSockets });
}
