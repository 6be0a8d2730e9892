import type { SQSClient } from "@aws-sdk/client-sqs";
import { Buffer } from "node:buffer";
import type { SqsAction, SqsAnswers, SqsCallOptions, SqsCalls, SqsInputs } from "./calls.ts";
import { AmzTimeFormatter, correctClock, isTooFar } from "./clock_skew.ts";
import { type CallScope, withDeadline } from "./deadline.ts";
import type { ResolvedEndpoint } from "./endpoint.ts";
import { type Answer, Poster } from "./http.ts";
import { SignerCache, type Signers } from "./signers.ts";

/** Options of {@linkcode SignedCalls}. */
export interface SignedCallsOptions {
  /** Lends its credentials and its clock, and tells what an error is. */
  readonly client: SQSClient;
  /** Where the client sends the queue's requests. */
  readonly endpoint: ResolvedEndpoint;
  /** Calls under way at once; further ones wait. */
  readonly maxSockets: number;
}

/** One request, as it may be sent twice. */
interface SignedRequest {
  readonly action: SqsAction;
  readonly body: string;
  readonly scope: CallScope;
}

/**
 * The three calls that a worker makes all the time, signed and sent by ourselves. The SDK is asked for
 * what it knows: credentials, region, endpoint, clock, and what an error's answer means.
 *
 * Measured, since a client of our own wants a reason: CPU of the client for receive and delete against
 * fauxqs in a process of its own, 8 interleaved rounds of 4,000 messages each, four calls at once, Deno
 * 2.9.6, a busy machine with two cores, so that only ratios count. The SDK as it comes is 1; with what its
 * public options let go (no MD5, our signer and request handler, middleware removed, and no deadline) it
 * is 0.50 (0.32 to 0.77); this is 0.28 (0.22 to 0.37).
 */
export class SignedCalls implements SqsCalls {
  readonly #client: SQSClient;
  readonly #endpoint: ResolvedEndpoint;
  readonly #signers: SignerCache;
  readonly #poster: Poster;
  readonly #time = new AmzTimeFormatter();

  constructor({ client, endpoint, maxSockets }: SignedCallsOptions) {
    this.#client = client;
    this.#endpoint = endpoint;
    this.#signers = new SignerCache(client);
    this.#poster = new Poster(endpoint, maxSockets);
  }

  call<A extends SqsAction>(
    action: A,
    input: SqsInputs[A],
    { purpose, deadlineSeconds, signal }: SqsCallOptions,
  ): Promise<SqsAnswers[A]> {
    const body = JSON.stringify(input);
    return withDeadline(purpose, deadlineSeconds, async (scope) => {
      const ask = { action, body, scope };
      const signers = this.#signers.current ?? await this.#signers.ask(this.#endpoint);
      const offset = this.#client.config.systemClockOffset;
      const answer = await this.#post(ask, signers);
      if (isSuccess(answer)) return parseAnswer(answer);
      const error = await readError(this.#client, answer);
      // What was refused was not done: it may be asked again, once, where the cause is mended.
      const mended = answer.status < 500 && await this.#mend(error, answer, signers, offset);
      if (!mended) throw error;
      const second = await this.#post(ask, mended);
      if (isSuccess(second)) return parseAnswer(second);
      throw await readError(this.#client, second);
    }, signal);
  }

  close(): void {
    this.#poster.close();
    this.#client.destroy();
  }

  #post({ action, body, scope }: SignedRequest, { byAction }: Signers): Promise<Answer> {
    const { signer, headers } = byAction[action];
    const time = this.#time.format(this.#client.config);
    const all = {
      ...headers,
      "x-amz-date": time,
      authorization: signer.sign(time, body),
      "content-length": Buffer.byteLength(body),
    };
    return this.#poster.post(all, body, scope);
  }

  /**
   * What to sign with instead, where the signature was at fault and a new one may do: our clock was
   * wrong, or the credentials had expired. Another call may have mended it meanwhile.
   */
  async #mend(
    error: unknown,
    { incoming }: Answer,
    signers: Signers,
    offset: number,
  ): Promise<Signers | undefined> {
    const { config } = this.#client;
    if (!await config.disableClockSkewCorrection()) correctClock(config, incoming.headers.date);
    if (isTooFar(config.systemClockOffset, offset)) return this.#signers.current ?? signers;
    if (!(error instanceof Error && /^ExpiredToken(?:Exception)?$/.test(error.name))) {
      return undefined;
    }
    const { current } = this.#signers;
    if (current && current !== signers) return current;
    const asked = await this.#signers.ask(this.#endpoint, true);
    return asked === signers ? undefined : asked;
  }
}

function isSuccess({ status }: Answer): boolean {
  return status < 300;
}

/** An answer in JSON, of which nothing further is believed than that it is an object. */
function parseAnswer({ body }: Answer): Record<string, never> {
  return body.length === 0 ? {} : Object(JSON.parse(body.toString()));
}

/** What the SDK's protocols have in common; their types exclude one another. */
interface ReadsAnswers {
  deserializeResponse(operation: object, context: object, response: object): Promise<unknown>;
}

/** What an error's answer looks like does not depend on what was asked. */
const ANY_OPERATION = {
  namespace: "com.amazonaws.sqs",
  name: "Any",
  traits: {},
  input: "unit",
  output: "unit",
};

/**
 * The error that the SDK would throw for an answer. Which of the code's five places counts
 * (`x-amzn-query-error`, `__type`, …), and which name an older code has by now, is the SDK's to know;
 * errors are rare enough to be read the long way.
 */
export async function readError(
  client: SQSClient,
  { status, incoming, body }: Answer,
): Promise<unknown> {
  const response = { statusCode: status, headers: incoming.headers, body };
  const protocol = client.config.protocol as unknown as ReadsAnswers;
  try {
    await protocol.deserializeResponse(ANY_OPERATION, client.config, response);
    return new TypeError(`Answer with status ${status} read as no error`);
  } catch (error) {
    // As the SDK's client does where an answer cannot be read: a balancer's page, an empty body.
    if (error instanceof Error && !("$metadata" in error)) {
      Object.assign(error, { $metadata: { httpStatusCode: status } });
    }
    return error;
  }
}
