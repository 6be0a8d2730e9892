import { type Clock, systemClock } from "../base/clock.ts";
import type { OriginalRow } from "../store/store.ts";
import type { Sealer } from "../vault/seal.ts";
import type { PersonalValue } from "./mask_cache.ts";

/** An event with the originals of its masks. */
export interface UnmaskedEvent {
  readonly id: string;
  readonly dateSent: string;
  readonly personal: readonly PersonalValue[];
}

/** The sealed originals of one batch. */
export interface SealedOriginals {
  readonly rows: readonly OriginalRow[];
  /** Records which originals a committed batch stored. A duplicate event stores none. */
  remember(duplicates: ReadonlySet<string>): void;
}

/**
 * How long a worker assumes that the vault still has a value, in milliseconds. If a forgotten user logs
 * in again, the original is stored again after this time at the latest. The cost of resealing a value
 * every ten minutes is negligible, and nothing is written if the vault has it. Estimate, not measured.
 */
const VAULT_MEMORY_MS = 600_000;

const NOTHING_SEALED: SealedOriginals = { rows: [], remember() {} };

/** Seals the originals of events for the vault. Skips the originals that this worker stored recently. */
export class OriginalsSealer {
  readonly #sealer: Sealer | undefined;
  readonly #clock: Clock;

  /** @param sealer omitted if there is no vault: nothing is sealed then */
  constructor(sealer?: Sealer, clock: Clock = systemClock) {
    this.#sealer = sealer;
    this.#clock = clock;
  }

  /** Seals the originals that the vault may not have, under one data key. */
  async seal(events: readonly UnmaskedEvent[]): Promise<SealedOriginals> {
    if (!this.#sealer) return NOTHING_SEALED;
    const missing = this.#findMissing(events);
    if (missing.size === 0) return NOTHING_SEALED;
    const { keyId } = this.#sealer;
    const batch = await this.#sealer.startBatch();
    const rows: OriginalRow[] = [];
    for (const [{ field, mask, original }, sources] of missing) {
      const sealed = batch.seal(original, { field, mask });
      // Adds a row for each event, because duplicates are only known after the commit.
      for (const { id, dateSent } of sources) {
        rows.push({ id, dateSent, field, mask, keyId, sealed });
      }
    }
    return { rows, remember: (duplicates) => this.#remember(missing, duplicates) };
  }

  /** Returns the values that may be missing in the vault, each with its events. */
  #findMissing(events: readonly UnmaskedEvent[]): Map<PersonalValue, UnmaskedEvent[]> {
    const trusted = this.#clock.now() - VAULT_MEMORY_MS;
    const missing = new Map<PersonalValue, UnmaskedEvent[]>();
    for (const event of events) {
      for (const value of event.personal) {
        if (value.keptDay >= event.dateSent && value.keptAt > trusted) continue;
        const sources = missing.get(value);
        if (sources) sources.push(event);
        else missing.set(value, [event]);
      }
    }
    return missing;
  }

  #remember(
    stored: ReadonlyMap<PersonalValue, readonly UnmaskedEvent[]>,
    duplicates: ReadonlySet<string>,
  ): void {
    const now = this.#clock.now();
    for (const [value, sources] of stored) {
      for (const { id, dateSent } of sources) {
        if (duplicates.has(id)) continue;
        if (value.keptDay < dateSent) value.keptDay = dateSent;
        value.keptAt = now;
      }
    }
  }
}
