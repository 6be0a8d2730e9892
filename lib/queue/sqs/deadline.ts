import { QueueError } from "../queue.ts";

/** Time that a call may take in addition to its requested wait, in seconds. */
export const DEADLINE_MARGIN_SECONDS = 5;

/** Connects a call with its deadline and its abort signal. */
export interface CallScope {
  /** Whether the call was aborted. Steps that have not started must not start. */
  readonly isOver: boolean;
  /** Drops the request in progress at once. The call sets it; it is called at most once. */
  drop: () => void;
}

/**
 * Runs one call with a hard deadline. When the deadline passes or the outer signal aborts, the request is
 * dropped and the promise rejects at once, even if the call ignores that. The outer signal lives for
 * months, so no listener stays on it.
 *
 * The cost is a promise, a timer and a listener. An `AbortController` per call, which `withSdkDeadline`
 * uses for the SDK, would add a signal, its listener and a race.
 *
 * @throws {QueueError} with the code of the service or the network, for every failure
 */
export function withDeadline<T>(
  action: string,
  seconds: number,
  call: (scope: CallScope) => Promise<T>,
  outer?: AbortSignal,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const scope = { isOver: false, drop: nothing };
    const settle = () => {
      clearTimeout(timer);
      outer?.removeEventListener("abort", onAbort);
    };
    const abort = (code: string) => {
      if (scope.isOver) return;
      scope.isOver = true;
      settle();
      reject(createQueueError(action, code));
      scope.drop();
    };
    const fail = (error: unknown) => {
      settle();
      // The SDK's message may quote the request, so only its code is used.
      reject(error instanceof QueueError ? error : createQueueError(action, readErrorCode(error)));
    };
    const onAbort = () => abort("AbortError");
    const timer = setTimeout(abort, seconds * 1000, "deadline");
    if (outer?.aborted) return onAbort();
    outer?.addEventListener("abort", onAbort);
    try {
      call(scope).then((value) => {
        settle();
        resolve(value);
      }, fail);
    } catch (error) {
      fail(error);
    }
  });
}

/**
 * Runs an SDK call with a hard deadline, like {@linkcode withDeadline}. Aborting the signal drops its
 * connection, so a peer that accepts and never answers causes an ordinary failure.
 *
 * @throws {QueueError} with the code of the service or the network, for every failure
 */
export function withSdkDeadline<T>(
  action: string,
  seconds: number,
  call: (signal: AbortSignal) => Promise<T>,
  outer?: AbortSignal,
): Promise<T> {
  return withDeadline(action, seconds, (scope) => {
    const aborting = new AbortController();
    scope.drop = () => aborting.abort();
    return call(aborting.signal);
  }, outer);
}

function nothing(): void {}

/** Codes of transient failures. Node's `ERR_…` codes are not among them: a bad certificate is permanent. */
const TRANSIENT_CODE =
  /^E(?!RR_)[A-Z_]+$|^deadline$|^http_5|TimeoutError|Throttl|InternalFailure|InternalError|Unavailable|ServiceError/;

/** Creates a QueueError from a code of SQS, of the AWS SDK or of the network. */
export function createQueueError(action: string, code: string): QueueError {
  return new QueueError(action, code, { isTransient: TRANSIENT_CODE.test(code) });
}

function readErrorCode(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  if (error instanceof Deno.errors.NotCapable) return "this binary was not compiled for that host";
  const { code, $metadata } = error as {
    code?: unknown;
    $metadata?: { httpStatusCode?: number };
  };
  if (typeof code === "string") return code;
  // An unreadable answer comes from a load balancer or a proxy. Only its status is known.
  const status = $metadata?.httpStatusCode ?? 200;
  const isUnreadable = error.name === "SyntaxError" || error.name.startsWith("Unknown");
  return isUnreadable && status >= 400 ? `http_${status}` : error.name;
}
