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

/** Options of {@linkcode MaskCache}. */
export interface MaskCacheOptions {
  readonly masker: FastMasker;
  /** The values of a field that are surely remembered; up to twice as many are. Default 4,096. A guess. */
  readonly atLeast?: number;
}

/** The values of one field: a young generation that fills up, and the one before. */
interface Generations {
  young: Map<string, PersonalValue>;
  old: Map<string, PersonalValue>;
}

/**
 * The personal values of late with their masks: an office shares an address, and a person comes again,
 * so that most masks need not be made anew and most originals are in the vault already. Bounded by two
 * generations: when the young one is full it becomes the old one, and what is asked for there moves up.
 * That forgets about what was used least recently, at the cost of a plain `Map`.
 */
export class MaskCache {
  readonly #masker: FastMasker;
  readonly #atLeast: number;
  readonly #byField = new Map<string, Generations>();

  constructor({ masker, atLeast = 4_096 }: MaskCacheOptions) {
    this.#masker = masker;
    this.#atLeast = atLeast;
  }

  /** How many values are remembered. */
  get size(): number {
    let size = 0;
    for (const { young, old } of this.#byField.values()) size += young.size + old.size;
    return size;
  }

  /** The value with its mask, made now or remembered. */
  get(field: string, original: string): PersonalValue {
    const values = this.#valuesOf(field);
    const young = values.young.get(original);
    if (young) return young;
    const value = values.old.get(original) ?? this.#make(field, original);
    if (values.young.size >= this.#atLeast) {
      values.old = values.young;
      values.young = new Map();
    }
    values.young.set(original, value);
    return value;
  }

  #valuesOf(field: string): Generations {
    let values = this.#byField.get(field);
    if (!values) {
      values = { young: new Map(), old: new Map() };
      this.#byField.set(field, values);
    }
    return values;
  }

  #make(field: string, original: string): PersonalValue {
    const mask = this.#masker.mask(field, original);
    return { field, original, mask, keptDay: "", keptAt: 0 };
  }
}
