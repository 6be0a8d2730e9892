import type { BenchArguments } from "./arguments.ts";
import type { Contestant } from "./contestant.ts";
import { type Figures, type Ground, measure, measureStartUp, type StartUp } from "./measure.ts";

/** One contestant in one round. */
export interface Run {
  readonly round: number;
  readonly id: string;
  readonly figures?: Figures;
  readonly startUp?: StartUp;
  /** Why it has no figures. */
  readonly problem?: string;
}

/** Options of {@linkcode measureRounds}. */
export interface RoundsOptions {
  readonly args: BenchArguments;
  readonly ground: Ground;
  readonly contestants: readonly Contestant[];
  /** Prints a line about the progress. */
  readonly say: (line: string) => void;
}

/**
 * Runs the contestants in turn, round after round. Each round begins with a different contestant. So a
 * virtual machine that slows down for minutes slows a whole round, and effects of the order even out. A
 * contestant that has failed is left out of the later rounds.
 */
export async function measureRounds(options: RoundsOptions): Promise<Run[]> {
  const { args, ground, contestants, say } = options;
  const runs: Run[] = [];
  const failed = new Set<string>();
  const able = contestants.filter(({ skipped }) => skipped === undefined);
  const attempt = async (round: number, contestant: Contestant) => {
    const { id, messages } = contestant;
    try {
      const startUp = await measureStartUp(contestant, ground);
      // Before the first round every contestant starts once unmeasured, so that all caches are warm.
      if (round === 0) return;
      const figures = await measure(contestant, ground, messages);
      const cpu = figures.workerMs * 1000 / messages;
      say(
        `Round ${round}/${args.rounds}: ${id} ${
          Math.round(messages / figures.seconds)
        } messages/s, ` +
          `${cpu.toFixed(1)} µs`,
      );
      runs.push({ round, id, figures, startUp });
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      say(`Round ${round}/${args.rounds}: ${id} failed: ${problem}`);
      failed.add(id);
      runs.push({ round, id, problem });
    }
  };
  for (let round = 0; round <= args.rounds; round++) {
    const first = round % Math.max(1, able.length);
    for (const contestant of [...able.slice(first), ...able.slice(0, first)]) {
      if (!failed.has(contestant.id)) await attempt(round, contestant);
    }
  }
  return runs;
}
