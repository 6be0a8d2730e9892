import type { Io } from "../command.ts";

/** The progress of a long action, on standard error. */
export interface Progress {
  /** Shows the present state, and how much is complete if that is known, 0 to 1. */
  update(text: string, share?: number): void;
  /** Shows the result. */
  end(text: string): void;
  /** Clears the line after a failure. Does nothing after `end`. */
  stop(): void;
}

/** The shortest time between two updates of the line. People cannot read faster. */
const REDRAW_MS = 100;

const CLEAR_LINE = "\r\x1b[2K";

/**
 * Shows a long action on standard error: on a terminal as one line that is redrawn, elsewhere as a line when it
 * begins and one when it ends.
 */
export function startProgress(io: Io, name: string): Progress {
  let drawnAt = -Infinity;
  let isOpen = true;
  const clear = io.isTerminal ? CLEAR_LINE : "";
  io.err(io.isTerminal ? name : `${name}…\n`);
  return {
    update(text, share) {
      if (!io.isTerminal || performance.now() - drawnAt < REDRAW_MS) return;
      drawnAt = performance.now();
      const percent = share === undefined ? "" : `${Math.floor(100 * share)} %, `;
      io.err(`${clear}${name}: ${percent}${text}`);
    },
    end(text) {
      isOpen = false;
      io.err(`${clear}${name}: ${text}\n`);
    },
    stop() {
      if (isOpen) io.err(clear);
      isOpen = false;
    },
  };
}

/** Redraws one line on the terminal until `stop` is called. Shows nothing if standard error is not a terminal. */
export function showRepeatedly(io: Io, describe: () => string): { stop(): void } {
  if (!io.isTerminal) return { stop() {} };
  const timer = setInterval(() => io.err(`${CLEAR_LINE}${describe()}`), REDRAW_MS);
  let isStopped = false;
  return {
    stop() {
      if (isStopped) return;
      isStopped = true;
      clearInterval(timer);
      io.err(CLEAR_LINE);
    },
  };
}
