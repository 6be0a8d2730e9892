import type { SqsRequest } from "./sqs_proxy.ts";

/** An entry of a batch call. */
export interface BatchEntry {
  readonly Id: string;
  readonly ReceiptHandle: string;
  readonly VisibilityTimeout?: number;
}

/** Returns the entries of a batch call. */
export function entriesOf(request: SqsRequest): BatchEntry[] {
  return request.body["Entries"] as BatchEntry[];
}

/** Carries out a batch call for a part of its entries, and answers that the others failed. */
export async function failSome(
  upstream: string,
  request: SqsRequest,
  fails: (entry: BatchEntry, index: number) => boolean,
): Promise<Response> {
  const entries = entriesOf(request);
  const failed = new Set(entries.filter(fails));
  const done = entries.filter((entry) => !failed.has(entry));
  if (done.length > 0) {
    await callSqs(upstream, request.action, { ...request.body, Entries: done });
  }
  return Response.json({
    Successful: done.map(({ Id }) => ({ Id })),
    Failed: [...failed].map(({ Id }) => ({ Id, Code: "InternalError", SenderFault: false })),
  });
}

/** Calls the emulator directly, without a proxy. @throws {Error} the call failed */
export async function callSqs(upstream: string, action: string, input: object): Promise<void> {
  const response = await fetch(upstream, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": `AmazonSQS.${action}`,
    },
    body: JSON.stringify(input),
  });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`${action}: expected status 200, got ${response.status}: ${text}`);
  }
}
