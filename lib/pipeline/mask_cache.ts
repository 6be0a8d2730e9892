import type { FastMasker } from "../mask/fast_mask.ts";

/** A personal value in its canonical form, with its mask. */
export interface PersonalValue {
  readonly field: string;
  readonly original: string;
  readonly mask: string;
  /** The newest day for which the vault is known to have it, `YYYY-MM-DD`; empty if none. */
  keptDay: string;
  /** When that became known, in milliseconds of the clock. */
  keptAt: number;
}

/** Options of {@linkcode MaskCache}. */
export interface MaskCacheOptions {
  readonly masker: FastMasker;
  /**
   * Minimum number of cached values per field; the maximum is twice as many. Default 4,096: an estimate,
   * not measured.
   */
  readonly atLeast?: number;
}

/** The cached values of one field: the young generation, which fills up, and the old one. */
interface Generations {
  young: Map<string, PersonalValue>;
  old: Map<string, PersonalValue>;
}

/**
 * Caches recent personal values with their masks. An office shares an address and a person logs in
 * repeatedly, so most masks need not be computed again and most originals are in the vault already. Two
 * generations limit the size: a full young generation becomes the old one, and a value that is found in
 * the old one moves to the young one. This approximates least-recently-used at the cost of a plain `Map`.
 */
export class MaskCache {
  readonly #masker: FastMasker;
  readonly #atLeast: number;
  readonly #byField = new Map<string, Generations>();

  constructor({ masker, atLeast = 4_096 }: MaskCacheOptions) {
    this.#masker = masker;
    this.#atLeast = atLeast;
  }

  /** Returns the number of cached values. */
  get size(): number {
    let size = 0;
    for (const { young, old } of this.#byField.values()) size += young.size + old.size;
    return size;
  }

  /** Returns the value with its mask, from the cache or newly computed. */
  get(field: string, original: string): PersonalValue {
    const values = this.#getGenerations(field);
    const young = values.young.get(original);
    if (young) return young;
    const value = values.old.get(original) ?? this.#compute(field, original);
    if (values.young.size >= this.#atLeast) {
      values.old = values.young;
      values.young = new Map();
    }
    values.young.set(original, value);
    return value;
  }

  #getGenerations(field: string): Generations {
    let values = this.#byField.get(field);
    if (!values) {
      values = { young: new Map(), old: new Map() };
      this.#byField.set(field, values);
    }
    return values;
  }

  #compute(field: string, original: string): PersonalValue {
    const mask = this.#masker.mask(field, original);
    return { field, original, mask, keptDay: "", keptAt: 0 };
  }
}
