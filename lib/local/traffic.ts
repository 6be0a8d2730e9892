import { systemClock } from "../pipeline/clock.ts";
import type { LocalQueue } from "./queue.ts";
import { sampleEvents } from "./sample.ts";

/** Sends sample events at a lively, uneven pace until the signal aborts; one in 200 is no event. */
export async function sendTraffic(queue: LocalQueue, signal: AbortSignal): Promise<void> {
  for (let seed = 2; !signal.aborted; seed++) {
    for (const body of sampleEvents({ seed, count: 200, users: 150 })) {
      if (signal.aborted) return;
      await queue.send(body);
      await systemClock.sleep(10 + Math.random() * 40, signal);
    }
    await queue.send("not JSON at all");
  }
}
