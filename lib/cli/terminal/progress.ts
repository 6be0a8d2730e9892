import type { Io } from "../command.ts";

/** A long piece of work that people watch. */
export interface Phase {
  /** What came of it so far, and how much of it is done where that is known, 0 to 1. */
  at(words: string, done?: number): void;
  /** It is done, and this came of it. */
  end(words: string): void;
  /** It failed: leaves the terminal as it was. Does nothing after its end. */
  stop(): void;
}

/** Milliseconds between two pictures of the line: faster than this nobody reads. */
const REDRAW_MS = 100;

/**
 * Shows a piece of work on standard error: on a terminal as one line that is drawn anew, and elsewhere as
 * a line when it begins and one when it ends.
 */
export function startPhase(io: Io, name: string): Phase {
  let drawnAt = -Infinity;
  let open = true;
  const clear = () => io.terminal ? "\r\x1b[2K" : "";
  io.err(io.terminal ? name : `${name}…\n`);
  return {
    at(words, done) {
      if (!io.terminal || performance.now() - drawnAt < REDRAW_MS) return;
      drawnAt = performance.now();
      const share = done === undefined ? "" : `${Math.floor(100 * done)} %, `;
      io.err(`${clear()}${name}: ${share}${words}`);
    },
    end(words) {
      open = false;
      io.err(`${clear()}${name}: ${words}\n`);
    },
    stop() {
      if (open) io.err(clear());
      open = false;
    },
  };
}

/** Shows `work` while it runs; its result says in `words` what came of it. */
export async function runPhase<T extends { readonly words: string }>(
  io: Io,
  name: string,
  work: (shown: Phase) => Promise<T>,
): Promise<T> {
  const shown = startPhase(io, name);
  try {
    const result = await work(shown);
    shown.end(result.words);
    return result;
  } finally {
    shown.stop();
  }
}
