import type { SQSClient } from "@aws-sdk/client-sqs";
import type { SqsAction } from "./calls.ts";
import type { ResolvedEndpoint } from "./endpoint.ts";
import { RequestSigner, type SigningCredentials } from "./signature.ts";

/** What one identity signs with, and what its requests say that never changes. */
export interface Signers {
  readonly credentials: SigningCredentials;
  readonly byAction: Readonly<Record<SqsAction, ActionSigner>>;
}

/** The part of {@linkcode Signers} for one call. */
export interface ActionSigner {
  readonly signer: RequestSigner;
  /** Those that stay the same. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * So long before they expire the SDK has new credentials made, in milliseconds: its own figure. From
 * then on it is asked each time.
 */
const REFRESH_BEFORE_MS = 300_000;

/**
 * The SDK's credentials, kept at hand. It remembers them too, but answers by promises through several
 * layers; it is asked again only where they may have changed: when they are about to expire, or the
 * service took them for expired.
 */
export class SignerCache {
  readonly #client: SQSClient;
  #current: Signers | undefined;
  /** In milliseconds since 1970. */
  #freshUntil = 0;

  constructor(client: SQSClient) {
    this.#client = client;
  }

  /** What is at hand; undefined where the SDK must be asked. */
  get current(): Signers | undefined {
    return this.#freshUntil > Date.now() ? this.#current : undefined;
  }

  /**
   * Asks the SDK. The same signers come back while its credentials are the same.
   *
   * @param forceRefresh new ones, also where those that are known seem good
   * @throws what the credential chain throws
   */
  async ask(endpoint: ResolvedEndpoint, forceRefresh = false): Promise<Signers> {
    const credentials = await this.#client.config.credentials(forceRefresh ? { forceRefresh } : {});
    const { expiration } = credentials;
    this.#freshUntil = expiration ? expiration.getTime() - REFRESH_BEFORE_MS : Infinity;
    if (this.#current && isSameIdentity(this.#current.credentials, credentials)) {
      return this.#current;
    }
    return this.#current = createSigners(credentials, endpoint);
  }
}

function isSameIdentity(one: SigningCredentials, other: SigningCredentials): boolean {
  return one.accessKeyId === other.accessKeyId && one.secretAccessKey === other.secretAccessKey &&
    one.sessionToken === other.sessionToken;
}

/** Signers for an identity at an endpoint. */
export function createSigners(
  credentials: SigningCredentials,
  endpoint: ResolvedEndpoint,
): Signers {
  const of = (action: SqsAction) => createActionSigner(action, credentials, endpoint);
  return {
    credentials,
    byAction: {
      ReceiveMessage: of("ReceiveMessage"),
      DeleteMessageBatch: of("DeleteMessageBatch"),
      ChangeMessageVisibilityBatch: of("ChangeMessageVisibilityBatch"),
    },
  };
}

function createActionSigner(
  action: SqsAction,
  credentials: SigningCredentials,
  { host, canonicalPath, region }: ResolvedEndpoint,
): ActionSigner {
  const headers = {
    "content-type": "application/x-amz-json-1.0",
    host,
    "x-amz-target": `AmazonSQS.${action}`,
    // Asks for the older error codes as well, which the SDK tells errors apart by.
    "x-amzn-query-mode": "true",
  };
  const { sessionToken } = credentials;
  return {
    signer: new RequestSigner({
      credentials,
      region,
      service: "sqs",
      method: "POST",
      path: canonicalPath,
      headers,
    }),
    headers: {
      ...headers,
      ...(sessionToken === undefined ? {} : { "x-amz-security-token": sessionToken }),
    },
  };
}
