import type { CountersSnapshot } from "../../lib/pipeline/counters.ts";
import type { Line } from "./line.ts";

type Counts = Awaited<ReturnType<Line["count"]>>;

/**
 * Asks until the answer is as expected. It polls, because another process sends no signal. After a minute,
 * or `milliseconds`, it fails with the last answer.
 */
export async function until<T>(
  ask: () => Promise<T>,
  isExpected: (answer: T) => boolean,
  milliseconds = 60_000,
): Promise<T> {
  const deadline = performance.now() + milliseconds;
  for (;;) {
    const answer = await ask();
    if (isExpected(answer)) return answer;
    if (performance.now() > deadline) {
      throw new Error(`Expected another answer in time, got last: ${JSON.stringify(answer)}`);
    }
    // Each look at a database is a new connection, which costs some 5 ms of CPU (measured).
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Waits until the line's counts are as expected. */
export function untilCount(line: Line, isExpected: (counts: Counts) => boolean): Promise<Counts> {
  return until(() => line.count(), isExpected);
}

/** Reads the books that a worker logged when it stopped. */
export function lastBooks(err: string): CountersSnapshot {
  const line = err.split("\n").findLast((text) => text.includes('"message":"Stopped"'));
  if (!line) throw new Error(`The worker logged no books:\n${err}`);
  return JSON.parse(line) as CountersSnapshot;
}
