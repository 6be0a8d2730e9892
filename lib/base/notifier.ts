/** Notifies all waiters of a change. Each waiter then checks whether its condition is met. */
export class Notifier {
  readonly #waiting = new Set<() => void>();

  /** Returns the number of waiters. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Waits for the next notification. Resolves early and without an error when `signal` aborts. */
  wait(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        // The signal lives as long as the process, so a remaining listener would never be freed.
        signal.removeEventListener("abort", done);
        this.#waiting.delete(done);
        resolve();
      };
      signal.addEventListener("abort", done, { once: true });
      this.#waiting.add(done);
    });
  }

  /** Notifies all current waiters in the order of their calls. */
  notify(): void {
    for (const done of [...this.#waiting]) done();
  }
}
