import type { SQSClient } from "@aws-sdk/client-sqs";
import type { SqsAction } from "./calls.ts";
import type { ResolvedEndpoint } from "./endpoint.ts";
import { RequestSigner, type SigningCredentials } from "./signature.ts";

/** The signers and constant headers of one identity. */
export interface Signers {
  readonly credentials: SigningCredentials;
  readonly byAction: Readonly<Record<SqsAction, ActionSigner>>;
}

/** The part of {@linkcode Signers} for one call. */
export interface ActionSigner {
  readonly signer: RequestSigner;
  /** The headers that are constant. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * How long before the expiry the SDK renews credentials, in milliseconds: the SDK's own value. From then
 * on the SDK is asked for each call.
 */
const REFRESH_BEFORE_MS = 300_000;

/**
 * Caches the signers for the SDK's credentials. The SDK caches credentials too, but returns them through
 * several layers of promises. It is asked again only when they are about to expire or the service reports
 * them as expired.
 */
export class SignerCache {
  readonly #client: SQSClient;
  #current: Signers | undefined;
  /** In milliseconds since 1970. */
  #freshUntil = 0;

  constructor(client: SQSClient) {
    this.#client = client;
  }

  /** Returns the cached signers, or undefined if the SDK must be asked. */
  get current(): Signers | undefined {
    return this.#freshUntil > Date.now() ? this.#current : undefined;
  }

  /**
   * Gets credentials from the SDK. Returns the same signers while the credentials are the same.
   *
   * @param forceRefresh renews credentials even if the cached ones seem valid
   * @throws the error of the credential chain
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

/** Creates the signers of an identity for an endpoint. */
function createSigners(
  credentials: SigningCredentials,
  endpoint: ResolvedEndpoint,
): Signers {
  const create = (action: SqsAction) => createActionSigner(action, credentials, endpoint);
  return {
    credentials,
    byAction: {
      ReceiveMessage: create("ReceiveMessage"),
      DeleteMessageBatch: create("DeleteMessageBatch"),
      ChangeMessageVisibilityBatch: create("ChangeMessageVisibilityBatch"),
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
    // Requests the older error codes too, by which the SDK identifies errors.
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
