import type { Contestant } from "./contestant.ts";
import type { Run } from "./rounds.ts";

/** The median, the lowest and the highest of some measurements. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The figures of a run, in the units of the table. */
export interface Derived {
  readonly perSecond: number;
  /** CPU of the worker per message, in microseconds, including its start. */
  readonly workerMicros: number;
  /** The same without the cost of a start with an empty queue. */
  readonly steadyMicros: number;
  readonly postgresMicros: number;
  readonly peakMiB: number;
  readonly callsPerThousand: number;
  /** From the start of the process to its first receive, in milliseconds. */
  readonly startMs: number;
}

/** A figure of the table. */
export type Measure = keyof Derived;

/** A contestant with its figures, which are missing if it was skipped or failed. */
export interface SummaryRow {
  readonly id: string;
  readonly name: string;
  readonly messages: number;
  readonly problem?: string;
  readonly figures?: Readonly<Record<Measure, Spread>>;
  /** The figures by round, which ratios need. */
  readonly rounds: ReadonlyMap<number, Derived>;
}

const MEASURES: readonly Measure[] = [
  "perSecond",
  "workerMicros",
  "steadyMicros",
  "postgresMicros",
  "peakMiB",
  "callsPerThousand",
  "startMs",
];

/** Summarizes the runs of each contestant in one row, in the order given. */
export function summarize(contestants: readonly Contestant[], runs: readonly Run[]): SummaryRow[] {
  return contestants.map(({ id, name, messages, skipped }) => {
    const own = runs.filter((run) => run.id === id);
    const problem = skipped === undefined
      ? own.find((run) => run.problem !== undefined)?.problem
      : `skipped: ${skipped}`;
    const rounds = new Map(own.flatMap((run) => {
      const derived = derive(run);
      return derived ? [[run.round, derived] as const] : [];
    }));
    const row = { id, name, messages, rounds };
    if (problem !== undefined) return { ...row, problem };
    const of = (measure: Measure) => spreadOf([...rounds.values()].map((one) => one[measure]));
    const figures = Object.fromEntries(MEASURES.map((measure) => [measure, of(measure)]));
    return { ...row, figures: figures as Record<Measure, Spread> };
  });
}

/** Converts a run into the units of the table. Returns undefined if it has no figures. */
export function derive({ figures, startUp }: Run): Derived | undefined {
  if (!figures || !startUp) return undefined;
  const { messages, seconds, workerMs, postgresMs, peakMiB, calls } = figures;
  const allCalls = Object.values(calls).reduce((sum, count) => sum + count, 0);
  const micros = (milliseconds: number) => milliseconds * 1000 / messages;
  return {
    perSecond: messages / seconds,
    workerMicros: micros(workerMs),
    steadyMicros: micros(workerMs - startUp.workerMs),
    postgresMicros: micros(postgresMs),
    peakMiB,
    callsPerThousand: allCalls * 1000 / messages,
    startMs: startUp.milliseconds,
  };
}

/** Compares two contestants by the rounds in which both ran. Returns undefined if there are none. */
export function ratioOf(
  row: SummaryRow | undefined,
  base: SummaryRow | undefined,
  measure: Measure,
): Spread | undefined {
  const ratios = [...row?.rounds ?? []].flatMap(([round, derived]) => {
    const other = base?.rounds.get(round);
    return other ? [derived[measure] / other[measure]] : [];
  });
  return ratios.length > 0 ? spreadOf(ratios) : undefined;
}

/** Summarizes values. @throws {RangeError} there are none */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const low = sorted[Math.floor((sorted.length - 1) / 2)];
  const high = sorted[Math.ceil((sorted.length - 1) / 2)];
  const [min] = sorted;
  const max = sorted.at(-1);
  if (low === undefined || high === undefined || min === undefined || max === undefined) {
    throw new RangeError("Expected at least one value, got none");
  }
  return { median: (low + high) / 2, min, max };
}
