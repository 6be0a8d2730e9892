import { StoreError } from "../store/store.ts";

/** Options of {@linkcode bisect}. */
export interface BisectOptions<T> {
  /** Commits some items together, all or none. */
  readonly commit: (items: readonly T[]) => Promise<void>;
  /** Takes an item that was refused even when it came alone. */
  readonly reject: (item: T, error: StoreError) => Promise<void>;
}

/**
 * Commits items, and finds the ones at fault by halving where the store refuses them as `data`: one bad
 * item among n costs about 2·log₂ n further commits (20 for a thousand), and never a good item.
 *
 * @throws {StoreError} every other kind, and what `refuse` throws
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
