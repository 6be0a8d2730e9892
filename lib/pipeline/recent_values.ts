import type { FastMasker } from "../mask/fast_mask.ts";

/** A personal value in its canonical form, with its mask. */
export interface PersonalValue {
  readonly field: string;
  readonly original: string;
  readonly mask: string;
  /** The newest day for which the vault surely has it, `YYYY-MM-DD`; empty before it has. */
  keptDay: string;
  /** When that was learnt, by the clock. */
  keptAt: number;
}

/** Options of {@linkcode RecentValues}. */
export interface RecentValuesOptions {
  readonly masker: FastMasker;
  /** The values that are surely remembered; up to twice as many are. Default 16,384, some 10 MB. A guess. */
  readonly atLeast?: number;
}

/**
 * The personal values of late with their masks: an office shares an address, and a person comes again,
 * so that most masks need not be made anew and most originals are in the vault already. Bounded by two
 * generations: when the young one is full it becomes the old one, and what is asked for there moves up.
 * That forgets about what was used least recently, at the cost of a plain `Map`.
 */
export class RecentValues {
  readonly #masker: FastMasker;
  readonly #atLeast: number;
  #young = new Map<string, PersonalValue>();
  #old = new Map<string, PersonalValue>();

  constructor({ masker, atLeast = 16_384 }: RecentValuesOptions) {
    this.#masker = masker;
    this.#atLeast = atLeast;
  }

  /** How many values are remembered. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** The value with its mask, made now or remembered. */
  of(field: string, original: string): PersonalValue {
    // No field name holds a NUL, so that two pairs cannot make one key.
    const key = `${field}\0${original}`;
    const young = this.#young.get(key);
    if (young) return young;
    const value = this.#old.get(key) ?? this.#make(field, original);
    if (this.#young.size >= this.#atLeast) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
    return value;
  }

  #make(field: string, original: string): PersonalValue {
    const mask = this.#masker.mask(field, original);
    return { field, original, mask, keptDay: "", keptAt: 0 };
  }
}
