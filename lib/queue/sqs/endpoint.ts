import { GetQueueAttributesCommand, type SQSClient } from "@aws-sdk/client-sqs";

/** The endpoint to which the SDK would send a request. */
export interface ResolvedEndpoint {
  readonly protocol: "http:" | "https:";
  /** Without the brackets of an IPv6 address. */
  readonly hostname: string;
  readonly port: number | undefined;
  /** Begins and ends with a slash. */
  readonly path: string;
  /** The path in the form that signatures use. */
  readonly canonicalPath: string;
  /** The value of the `host` header. */
  readonly host: string;
  readonly region: string;
}

/**
 * Resolves the queue's endpoint through the SDK. The SDK builds a request, which is captured before it is
 * signed and sent. The SDK's own rules thus apply: `AWS_ENDPOINT_URL_SQS`, a profile's `endpoint_url`,
 * FIPS, dual stack and the partition of the region.
 *
 * @throws the SDK's error when the region, the endpoint or the credentials are missing
 */
export async function resolveEndpoint(client: SQSClient, url: string): Promise<ResolvedEndpoint> {
  const command = new GetQueueAttributesCommand({ QueueUrl: url });
  let captured: unknown;
  command.middlewareStack.add(
    () => ({ request }) => {
      captured = request;
      return Promise.resolve({ response: undefined, output: { $metadata: {} } });
    },
    { step: "build", priority: "high", name: "captureRequest" },
  );
  const region = await client.config.region();
  await client.send(command);
  const { protocol, hostname, port, path } = captured as {
    protocol: string;
    hostname: string;
    port?: number;
    path: string;
  };
  return {
    protocol: protocol === "http:" ? "http:" : "https:",
    hostname: hostname.replace(/^\[|\]$/g, ""),
    port,
    path,
    canonicalPath: toCanonicalPath(path),
    host: port === undefined ? hostname : `${hostname}:${port}`,
    region,
  };
}

/** Applies the rules of Signature Version 4: no empty segments, and each segment is encoded again. */
function toCanonicalPath(path: string): string {
  const segments = path.split("/").filter((segment) => segment !== "").map((segment) =>
    encodeURIComponent(segment).replace(
      /[!'()*]/g,
      (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
    )
  );
  return segments.length > 0 ? `/${segments.join("/")}/` : "/";
}
