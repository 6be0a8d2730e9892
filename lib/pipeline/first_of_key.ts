import type { Transformed } from "./transform.ts";

/** Items parted by {@linkcode splitDuplicates}, each part in the order in which they came. */
export interface SplitItems<T> {
  /** No two of them have the same key. */
  readonly firsts: readonly T[];
  /** Each has the key of one before it. */
  readonly repeats: readonly T[];
}

/**
 * Parts the first item of each key from those that name the same event once more. Items without a key
 * (refusals, and all where no field names an event) are firsts.
 */
export function splitDuplicates<T extends { readonly transformed: Transformed }>(
  items: readonly T[],
): SplitItems<T> {
  const keys = new Set<string>();
  const firsts: T[] = [];
  const repeats: T[] = [];
  for (const item of items) {
    const { transformed } = item;
    const key = transformed.kind === "row" ? transformed.row.key : undefined;
    if (key !== undefined && keys.has(key)) repeats.push(item);
    else firsts.push(item);
    if (key !== undefined) keys.add(key);
  }
  return { firsts, repeats };
}
