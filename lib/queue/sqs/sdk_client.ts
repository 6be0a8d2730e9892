import { SQSClient, type SQSClientConfig } from "@aws-sdk/client-sqs";
import { AwsQueryProtocol } from "@aws-sdk/core/protocols";
import { type Agent, Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { homedir } from "node:os";

/** The protocol of requests. `query` is the protocol before 2023, the only one of older emulators. */
export type SqsProtocol = "json" | "query";

/**
 * Creates the SDK's client for the queue at `url`. The SDK resolves the region, the endpoint and the
 * credentials (`AWS_REGION`, `AWS_ENDPOINT_URL_SQS`, the default credential chain). If no region is
 * configured, it is read from the queue's host name.
 */
export function createSqsClient(
  url: URL,
  maxSockets: number,
  protocol: SqsProtocol = "json",
): SQSClient {
  ensureHome();
  const region = readRegion(url);
  const config: SQSClientConfig = {
    // A configured endpoint must override the host of the queue's URL, because emulators return URLs
    // that only they can resolve.
    useQueueUrlAsEndpoint: false,
    // The pipeline retries, because it knows the messages in flight and detects outages.
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

/**
 * Sets a home directory if there is none, as for a container's user without a passwd entry. The SDK looks for
 * its files there, and fails if it finds no directory, even if the credentials are in the environment.
 */
function ensureHome(): void {
  try {
    if (homedir()) return;
  } catch {
    // The system does not know the user.
  }
  Deno.env.set("HOME", "/");
}

/** Creates the query protocol with the values of SQS's API version 2012-11-05, which is still current. */
function createQueryProtocol(): AwsQueryProtocol {
  return new AwsQueryProtocol({
    defaultNamespace: "com.amazonaws.sqs",
    xmlNamespace: "http://queue.amazonaws.com/doc/2012-11-05/",
    version: "2012-11-05",
  });
}

const AWS_HOST =
  /^(?:sqs(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|api\.aws)|([a-z0-9-]+)\.queue\.amazonaws\.com)$/;

/** Reads the region from the host of an AWS queue. Undefined if a region is configured or unknown. */
function readRegion(url: URL): string | undefined {
  if (Deno.env.get("AWS_REGION")) return undefined;
  const [, modern, legacy] = AWS_HOST.exec(url.hostname) ?? [];
  return modern ?? legacy ?? (url.hostname.endsWith(".amazonaws.com") ? undefined : "us-east-1");
}

/** Returns the URL's origin as the endpoint of a queue outside AWS, unless one is configured. */
function readEndpoint(url: URL): string | undefined {
  const configured = Deno.env.get("AWS_ENDPOINT_URL_SQS") ?? Deno.env.get("AWS_ENDPOINT_URL");
  return configured || AWS_HOST.test(url.hostname) ? undefined : url.origin;
}

/**
 * Prevents an agent from resending an aborted request. On a kept connection, Deno 2.9.6 mistakes our
 * abort for a stale connection and resends the request
 * (https://github.com/denoland/deno/issues/36786). A resent receive, whose answer is lost, takes ten
 * messages, hides them for a lease and uses up one receive of each. Requests on connections that are
 * really stale are still resent.
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
