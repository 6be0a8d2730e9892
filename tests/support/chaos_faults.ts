import { pick, type Random } from "../../lib/local/sample.ts";
import { callSqs, entriesOf, failSome } from "./fail_some.ts";
import { failEntries, type Fault, sqsError, type SqsRequest } from "./sqs_proxy.ts";
import type { TcpProxy } from "./tcp_proxy.ts";

/** How often each kind of fault was injected. */
export class Tally {
  readonly counts = new Map<string, number>();

  add(kind: string): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }

  get total(): number {
    return this.counts.values().reduce((sum, count) => sum + count, 0);
  }
}

/** Options of {@linkcode queueFaults}. */
export interface QueueFaultsOptions {
  /** The emulator itself. */
  readonly upstream: string;
  readonly random: Random;
  readonly tally: Tally;
  /** Ends all waiting. */
  readonly signal: AbortSignal;
}

/** A message as a receive returns it. */
interface Received {
  readonly ReceiptHandle: string;
}

/** One call in this many has a fault, or does what a queue is allowed to do. */
const ONE_IN = 6;
/** The number of messages that can be redelivered. */
const REMEMBERED = 500;
/** Longer than the deadline of a call that does not wait, or waits for a second. */
const LATE_MS = 6_500;

/** Injects the faults that SQS can have: one call in six fails, partly fails, or is done without an answer. */
export function queueFaults(options: QueueFaultsOptions): Fault {
  const { random, tally } = options;
  const faults = { ReceiveMessage: receiveFaults(options), ...batchFaults(options) };
  const others = { "503 for another call": () => sqsError(503, "ServiceUnavailable") };
  return async (request) => {
    if (random() * ONE_IN > 1) return undefined;
    const kinds: Kinds = faults[request.action as keyof typeof faults] ?? others;
    const [kind, inject] = pick(random, Object.entries(kinds));
    const response = await inject(request);
    if (response) tally.add(kind);
    return response;
  };
}

/** Kinds of faults. One returns undefined if it cannot inject anything at present. */
type Kinds = Record<
  string,
  (request: SqsRequest) => Promise<Response | undefined> | Response | undefined
>;

function receiveFaults({ upstream, random, signal }: QueueFaultsOptions): Kinds {
  const remembered: Received[] = [];
  const receive = async (request: SqsRequest) => {
    const answer: { Messages?: Received[] } = await (await request.forward()).json();
    const messages = answer.Messages ?? [];
    remembered.push(...messages);
    remembered.splice(0, remembered.length - REMEMBERED);
    return messages;
  };
  return {
    "receive: 503": () => sqsError(503, "ServiceUnavailable"),
    "receive: throttled": () => sqsError(400, "ThrottlingException"),
    "receive: answer lost": async (request) => {
      await receive(request);
      return sqsError(500, "InternalFailure");
    },
    "receive: answer late": async (request) => {
      // Not each time: most receives return messages, and the delay of all of them would be too long.
      if (random() < 0.7) return undefined;
      const Messages = await receive(request);
      await sleep(LATE_MS, signal);
      return Response.json({ Messages });
    },
    // While they are in flight in this or another worker, or long after their commit.
    "receive: old messages again": () => {
      const from = Math.floor(random() * Math.max(0, remembered.length - 10));
      const Messages = remembered.slice(from, from + 10);
      return Messages.length > 0 ? Response.json({ Messages }) : undefined;
    },
    // The lease ends at once, so that two workers have the message with different handles.
    "receive: handed out twice": async (request) => {
      const Messages = await receive(request);
      const Entries = Messages.map(({ ReceiptHandle }, index) => ({
        Id: String(index),
        ReceiptHandle,
        VisibilityTimeout: 0,
      }));
      const input = { QueueUrl: request.body["QueueUrl"], Entries };
      if (Entries.length > 0) await callSqs(upstream, "ChangeMessageVisibilityBatch", input);
      return Response.json({ Messages });
    },
  };
}

function batchFaults({ upstream, random }: QueueFaultsOptions): Record<string, Kinds> {
  const half = (request: SqsRequest) => failSome(upstream, request, () => random() < 0.5);
  const done = async (request: SqsRequest) => {
    await (await request.forward()).body?.cancel();
    return request;
  };
  return {
    DeleteMessageBatch: {
      "delete: all fail": failEntries,
      "delete: some fail": half,
      "delete: 500": () => sqsError(500, "InternalFailure"),
      "delete: answer lost": async (request) => failEntries(await done(request)),
    },
    ChangeMessageVisibilityBatch: {
      "lease: all fail": failEntries,
      "lease: some fail": half,
      "lease: answer lost": async (request) => failEntries(await done(request)),
      // As if the messages had been received too long ago.
      "lease: invalid handles": (request) =>
        Response.json({
          Successful: [],
          Failed: entriesOf(request).map(({ Id }) => ({
            Id,
            Code: "ReceiptHandleIsInvalid",
            SenderFault: true,
          })),
        }),
    },
  };
}

/** Cuts the connections to Postgres, between or within answers, delays them and swallows their data. */
export function injectPostgresFaults(
  tcp: TcpProxy,
  random: Random,
  tally: Tally,
): { stop(): void } {
  const kinds: Record<string, () => void> = {
    "Postgres: cut": () => tcp.cut(),
    "Postgres: cut in an answer": () => tcp.cutAfter(Math.floor(random() * 400)),
    "Postgres: answer to a commit lost": () => tcp.cutAfter(0),
    "Postgres: slow": () => void (tcp.delay = 150),
    "Postgres: silent": () => void (tcp.blackHole = true),
  };
  const clearFaults = () => {
    tcp.blackHole = false;
    tcp.delay = 0;
  };
  const timer = setInterval(() => {
    clearFaults();
    const [kind, inject] = pick(random, Object.entries(kinds));
    tally.add(kind);
    inject();
  }, 900);
  return {
    stop() {
      clearInterval(timer);
      clearFaults();
      // The worker would wait in vain for swallowed answers.
      tcp.cut();
    },
  };
}

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}
