import { stripVTControlCharacters } from "node:util";

/** How many tests passed, failed and were skipped. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/**
 * Reads the counts of a `deno test` run; `undefined` if the output has no summary because there was
 * nothing to run.
 *
 * @example
 * ```ts
 * import { deepStrictEqual } from "node:assert";
 *
 * deepStrictEqual(
 *   readSummary("ok | 12 passed (3 steps) | 0 failed | 1 ignored (3s)\n"),
 *   { passed: 12, failed: 0, skipped: 1 },
 * );
 * ```
 */
export function readSummary(output: string): Counts | undefined {
  const lines = stripVTControlCharacters(output).split("\n");
  // The last one, because the output of a test can look the same, and comes before it.
  const summary = lines.findLast((line) => /^(ok|FAILED) \| \d+ passed/.test(line));
  if (!summary) return undefined;
  const count = (word: string) => Number(new RegExp(`(\\d+) ${word}`).exec(summary)?.[1] ?? 0);
  return { passed: count("passed"), failed: count("failed"), skipped: count("ignored") };
}

/** Adds the counts of two runs. A run without a summary counts as nothing. */
export function addCounts(one: Counts | undefined, other: Counts | undefined): Counts | undefined {
  if (!one || !other) return one ?? other;
  return {
    passed: one.passed + other.passed,
    failed: one.failed + other.failed,
    skipped: one.skipped + other.skipped,
  };
}

/** Formats counts as `N passed, N failed`, with `, N skipped` if any were. */
export function formatCounts({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed` + (skipped > 0 ? `, ${skipped} skipped` : "");
}
