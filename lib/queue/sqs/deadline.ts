import { QueueError } from "../queue.ts";

/** How long a call may take beyond the wait that it asks for, in seconds. */
export const DEADLINE_MARGIN_SECONDS = 5;

/** How a call learns that nobody waits for it any more. */
export interface CallScope {
  /** Whether the call was given up: what has not begun yet must not begin. */
  readonly isOver: boolean;
  /** Drops what is under way, at once. Set by the call; called once at most. */
  drop: () => void;
}

/**
 * Runs one call with a hard deadline. When it passes, or the outer signal aborts, what is under way is
 * dropped and the call fails at once, whether or not it heeds that. Nothing is left behind on the outer
 * signal, which lives for months.
 *
 * It costs a promise, a timer and a listener. An `AbortController` a call, as `withSdkDeadline` has for the
 * SDK, would add its signal, that one's listener and a race.
 *
 * @throws {QueueError} with the service's or the network's code, whatever went wrong
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
    const giveUp = (code: string) => {
      if (scope.isOver) return;
      scope.isOver = true;
      settle();
      reject(createQueueError(action, code));
      scope.drop();
    };
    const fail = (error: unknown) => {
      settle();
      // The SDK's own message may quote what was sent, so it goes no further than its code.
      reject(error instanceof QueueError ? error : createQueueError(action, readErrorCode(error)));
    };
    const onAbort = () => giveUp("AbortError");
    const timer = setTimeout(giveUp, seconds * 1000, "deadline");
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
 * {@linkcode withDeadline} for a call that takes a signal, as the SDK's do. Aborting drops its connection: a
 * peer that accepts and never answers looks like any other failure.
 *
 * @throws {QueueError} with the service's or the network's code, whatever went wrong
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

/** Node's own `ERR_…` are not failures of the network: waiting does not repair a certificate. */
const TRANSIENT_CODE =
  /^E(?!RR_)[A-Z_]+$|^deadline$|^http_5|TimeoutError|Throttl|InternalFailure|InternalError|Unavailable|ServiceError/;

/** Creates the seam's error from a code of SQS, of the AWS SDK or of the network. */
export function createQueueError(action: string, code: string): QueueError {
  return new QueueError(action, code, { isTransient: TRANSIENT_CODE.test(code) });
}

function readErrorCode(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  if (error instanceof Deno.errors.NotCapable) return "this binary was not made for that host";
  const { code, $metadata } = error as {
    code?: unknown;
    $metadata?: { httpStatusCode?: number };
  };
  if (typeof code === "string") return code;
  // What cannot be read comes from a balancer or a proxy, and its status is all that is known of it.
  const status = $metadata?.httpStatusCode ?? 200;
  const unread = error.name === "SyntaxError" || error.name.startsWith("Unknown");
  return unread && status >= 400 ? `http_${status}` : error.name;
}
