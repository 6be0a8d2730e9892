import { SQSClient, type SQSClientConfig } from "@aws-sdk/client-sqs";
import { AwsQueryProtocol } from "@aws-sdk/core/protocols";
import { type Agent, Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";

/** How requests are written: `query` is the form before 2023, which older emulators alone know. */
export type SqsProtocol = "json" | "query";

/**
 * The SDK's client for the queue at `url`. Region, endpoint and credentials are the SDK's own business
 * (`AWS_REGION`, `AWS_ENDPOINT_URL_SQS`, the default credential chain); only where no region is said
 * is it taken from the queue's host name, which names it.
 */
export function createSqsClient(
  url: URL,
  maxSockets: number,
  protocol: SqsProtocol = "json",
): SQSClient {
  const region = readRegion(url);
  const config: SQSClientConfig = {
    // The URL of the queue names its host, but an endpoint that was configured must win over it:
    // emulators answer with URLs that only they can resolve.
    useQueueUrlAsEndpoint: false,
    // Retrying is the pipeline's business: it knows what is held, and what an outage is.
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: 5_000,
      httpsAgent: sendOnce(new HttpsAgent({ keepAlive: true, maxSockets })),
      httpAgent: sendOnce(new HttpAgent({ keepAlive: true, maxSockets })),
    },
  };
  if (region) config.region = region;
  if (protocol === "query") config.protocol = createQueryProtocol();
  const endpoint = readEndpoint(url);
  if (endpoint) config.endpoint = endpoint;
  return new SQSClient(config);
}

/** The values are those of SQS's API of 2012-11-05, which it still has. */
function createQueryProtocol(): AwsQueryProtocol {
  return new AwsQueryProtocol({
    defaultNamespace: "com.amazonaws.sqs",
    xmlNamespace: "http://queue.amazonaws.com/doc/2012-11-05/",
    version: "2012-11-05",
  });
}

const AWS_HOST =
  /^(?:sqs(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|api\.aws)|([a-z0-9-]+)\.queue\.amazonaws\.com)$/;

/** The region that an AWS queue's host names, or undefined; a region that is configured comes first. */
function readRegion(url: URL): string | undefined {
  if (Deno.env.get("AWS_REGION")) return undefined;
  const [, modern, legacy] = AWS_HOST.exec(url.hostname) ?? [];
  return modern ?? legacy ?? (url.hostname.endsWith(".amazonaws.com") ? undefined : "us-east-1");
}

/** For a queue outside AWS the URL itself says where the endpoint is, unless one is configured. */
function readEndpoint(url: URL): string | undefined {
  const configured = Deno.env.get("AWS_ENDPOINT_URL_SQS") ?? Deno.env.get("AWS_ENDPOINT_URL");
  return configured || AWS_HOST.test(url.hostname) ? undefined : url.origin;
}

/**
 * Keeps an agent from sending a request again that was given up. On a kept connection Deno 2.9.6 takes
 * our own giving up for a stale connection and sends the request once more
 * (https://github.com/denoland/deno/issues/36786): a receive whose answer nobody reads takes ten
 * messages, hides them for a lease and uses one of their receipts up. What really is stale is still
 * sent again.
 */
export function sendOnce<A extends Agent>(agent: A): A {
  const reuse = agent.reuseSocket.bind(agent);
  agent.reuseSocket = (socket, request) => {
    reuse(socket, request);
    const destroy = request.destroy.bind(request);
    request.destroy = (error) => {
      request.reusedSocket = false;
      return destroy(error);
    };
  };
  return agent;
}
