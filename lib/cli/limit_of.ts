import { type Arguments, UsageError } from "./command.ts";

/**
 * The value of `--limit`: a whole number from 1 to 10,000, or none.
 *
 * @throws {UsageError} it is something else
 */
export function readLimit({ limit }: Arguments["flags"]): number | undefined {
  if (limit === undefined) return undefined;
  const number = Number(limit);
  if (!Number.isInteger(number) || number < 1 || number > 10_000) {
    throw new UsageError("--limit: wanted a whole number from 1 to 10000");
  }
  return number;
}
