import type { CountersSnapshot } from "../../lib/pipeline/counters.ts";
import type { Line } from "./line.ts";

type Counts = Awaited<ReturnType<Line["count"]>>;

/**
 * Asks until the answer is as wanted. There is no signal to wait for in another process, so this polls;
 * a test that waits in vain fails after a minute (or as given) and says what it saw last.
 */
export async function until<T>(
  ask: () => Promise<T>,
  wanted: (answer: T) => boolean,
  milliseconds = 60_000,
): Promise<T> {
  const deadline = performance.now() + milliseconds;
  for (;;) {
    const answer = await ask();
    if (wanted(answer)) return answer;
    if (performance.now() > deadline) {
      throw new Error(`What was wanted did not come: ${JSON.stringify(answer)}`);
    }
    // Each look at a database is a new connection, which costs some 5 ms of CPU (measured).
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Waits until the line's counts are as wanted. */
export function untilCount(line: Line, wanted: (counts: Counts) => boolean): Promise<Counts> {
  return until(() => line.count(), wanted);
}

/** The books that a worker logged when it stopped. */
export function lastBooks(err: string): CountersSnapshot {
  const line = err.split("\n").findLast((text) => text.includes('"message":"Stopped"'));
  if (!line) throw new Error(`The worker logged no books:\n${err}`);
  return JSON.parse(line) as CountersSnapshot;
}
