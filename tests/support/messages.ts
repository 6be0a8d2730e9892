import type { Message } from "../../lib/queue/queue.ts";

/** 2026-02-03 04:05:06 UTC. */
export const SENT_AT = Date.UTC(2026, 1, 3, 4, 5, 6);

/** Creates a message as a queue returns it. `receipt` is how often it was received. */
export function writeMessage(id: string, receipt = 1, body = "{}"): Message {
  return { id, body, sentAt: SENT_AT, receiveCount: receipt, handle: `${id}/${receipt}` };
}
