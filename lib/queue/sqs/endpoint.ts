import { GetQueueAttributesCommand, type SQSClient } from "@aws-sdk/client-sqs";

/** Where the SDK would send a request. */
export interface ResolvedEndpoint {
  readonly protocol: "http:" | "https:";
  /** Without the brackets of an IPv6 address. */
  readonly hostname: string;
  readonly port: number | undefined;
  /** Begins and ends with a slash. */
  readonly path: string;
  /** As a signature has it. */
  readonly canonicalPath: string;
  /** As in the `host` header. */
  readonly host: string;
  readonly region: string;
}

/**
 * Asks the SDK where the queue's requests go, by having it write one and taking it away before it is
 * signed and sent. Whatever decides it is then the SDK's own: `AWS_ENDPOINT_URL_SQS`, a profile's
 * `endpoint_url`, FIPS, dual stack, the partition of the region.
 *
 * @throws what the SDK throws when region, endpoint or credentials (which it asks for first) are missing
 */
export async function resolveEndpoint(client: SQSClient, url: string): Promise<ResolvedEndpoint> {
  const command = new GetQueueAttributesCommand({ QueueUrl: url });
  let written: unknown;
  command.middlewareStack.add(
    () => ({ request }) => {
      written = request;
      return Promise.resolve({ response: undefined, output: { $metadata: {} } });
    },
    { step: "build", priority: "high", name: "takeAway" },
  );
  const region = await client.config.region();
  await client.send(command);
  const { protocol, hostname, port, path } = written as {
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

/** By the rules of Signature Version 4: no empty segments, and each encoded, a second time if need be. */
function toCanonicalPath(path: string): string {
  const segments = path.split("/").filter((segment) => segment !== "").map((segment) =>
    encodeURIComponent(segment).replace(
      /[!'()*]/g,
      (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
    )
  );
  return segments.length > 0 ? `/${segments.join("/")}/` : "/";
}
