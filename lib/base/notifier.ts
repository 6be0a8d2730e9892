/** Wakes everybody who waits for a change; each then looks for itself whether it is the one. */
export class Notifier {
  readonly #waiting = new Set<() => void>();

  /** Those who wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Waits for the next ring; resolves early and without an error when `signal` aborts. */
  wait(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        // The signal lives as long as the process: a listener left on it would never be freed.
        signal.removeEventListener("abort", done);
        this.#waiting.delete(done);
        resolve();
      };
      signal.addEventListener("abort", done, { once: true });
      this.#waiting.add(done);
    });
  }

  /** Wakes all who wait now, in the order in which they came. */
  notify(): void {
    for (const done of [...this.#waiting]) done();
  }
}
