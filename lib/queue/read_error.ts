import type { SQSClient } from "@aws-sdk/client-sqs";
import type { Answer } from "./post.ts";

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
