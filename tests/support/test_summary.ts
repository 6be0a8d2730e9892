import { stripVTControlCharacters } from "node:util";

/**
 * The counts of a `deno test` run as `N passed, N failed`, with `, N skipped` if any were; `undefined`
 * if the output has no summary because nothing came to run.
 *
 * @example
 * ```ts
 * import { strictEqual } from "node:assert";
 *
 * strictEqual(
 *   readSummary("ok | 12 passed (3 steps) | 0 failed | 1 ignored (3s)\n"),
 *   "12 passed, 0 failed, 1 skipped",
 * );
 * ```
 */
export function readSummary(output: string): string | undefined {
  const lines = stripVTControlCharacters(output).split("\n");
  // The last one: what a test prints may look the same, and comes before.
  const summary = lines.findLast((line) => /^(ok|FAILED) \| \d+ passed/.test(line));
  if (!summary) return undefined;
  const count = (word: string) => Number(new RegExp(`(\\d+) ${word}`).exec(summary)?.[1] ?? 0);
  const skipped = count("ignored");
  return `${count("passed")} passed, ${count("failed")} failed` +
    (skipped > 0 ? `, ${skipped} skipped` : "");
}
