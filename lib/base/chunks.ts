/**
 * Processes items in groups of `size`, at most `parallel` groups at a time.
 *
 * @throws the first error of `work`; groups that have not started are skipped
 */
export async function forEachChunk<T>(
  items: readonly T[],
  size: number,
  parallel: number,
  work: (group: readonly T[]) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const group = items.slice(next, next + size);
      next += size;
      try {
        await work(group);
      } catch (error) {
        next = items.length;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
}
