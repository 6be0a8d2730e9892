import { StoreError } from "../store/store.ts";

/** Options of {@linkcode bisect}. */
export interface BisectOptions<T> {
  /** Commits the items together, all or none. */
  readonly commit: (items: readonly T[]) => Promise<void>;
  /** Receives an item that the store refused even on its own. */
  readonly reject: (item: T, error: StoreError) => Promise<void>;
}

/**
 * Commits items and isolates the invalid ones. When the store refuses a commit as `data`, the items are
 * halved and both halves are committed. One invalid item among n costs about 2·log₂ n further commits
 * (20 for a thousand), and no valid item is lost.
 *
 * @throws {StoreError} of every other kind, and what `reject` throws
 */
export async function bisect<T>(items: readonly T[], options: BisectOptions<T>): Promise<void> {
  try {
    await options.commit(items);
  } catch (error) {
    if (!(error instanceof StoreError) || error.kind !== "data") throw error;
    const [only] = items;
    if (items.length === 1 && only !== undefined) return await options.reject(only, error);
    const middle = items.length >> 1;
    await bisect(items.slice(0, middle), options);
    await bisect(items.slice(middle), options);
  }
}
