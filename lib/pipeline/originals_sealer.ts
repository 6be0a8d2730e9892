import { type Clock, systemClock } from "../base/clock.ts";
import type { OriginalRow } from "../store/store.ts";
import type { Sealer } from "../vault/seal.ts";
import type { PersonalValue } from "./mask_cache.ts";

/** An event with the personal values that its masks stand for. */
export interface UnmaskedEvent {
  readonly id: string;
  readonly dateSent: string;
  readonly personal: readonly PersonalValue[];
}

/** The originals of one batch, sealed. */
export interface SealedOriginals {
  readonly rows: readonly OriginalRow[];
  /** Remembers what the batch brought once it is committed; what came with a duplicate was not written. */
  remember(duplicates: ReadonlySet<string>): void;
}

/**
 * For how long a worker trusts its memory that the vault has a value, in milliseconds. When somebody is
 * forgotten and comes again, the original is kept again after that time at the latest; sealing a value
 * anew every ten minutes costs nothing to speak of, and writes nothing where it is there. A guess.
 */
const VAULT_MEMORY_MS = 600_000;

const NOTHING_SEALED: SealedOriginals = { rows: [], remember() {} };

/** Seals the originals of events for the vault, each one once as far as this worker remembers. */
export class OriginalsSealer {
  readonly #sealer: Sealer | undefined;
  readonly #clock: Clock;

  /** @param sealer none where there is no vault: nothing is sealed then */
  constructor(sealer?: Sealer, clock: Clock = systemClock) {
    this.#sealer = sealer;
    this.#clock = clock;
  }

  /** Seals what the vault may not have of these events, under one data key. */
  async seal(events: readonly UnmaskedEvent[]): Promise<SealedOriginals> {
    if (!this.#sealer) return NOTHING_SEALED;
    const fresh = this.#missing(events);
    if (fresh.size === 0) return NOTHING_SEALED;
    const { keyId } = this.#sealer;
    const batch = await this.#sealer.startBatch();
    const rows: OriginalRow[] = [];
    for (const [{ field, mask, original }, bringers] of fresh) {
      const sealed = batch.seal(original, { field, mask });
      // A row for each event: which of them are duplicates is only known when they commit.
      for (const { id, dateSent } of bringers) {
        rows.push({ id, dateSent, field, mask, keyId, sealed });
      }
    }
    return { rows, remember: (duplicates) => this.#remember(fresh, duplicates) };
  }

  /** The values that are not known to be kept, each with the events that bring it. */
  #missing(events: readonly UnmaskedEvent[]): Map<PersonalValue, UnmaskedEvent[]> {
    const trusted = this.#clock.now() - VAULT_MEMORY_MS;
    const fresh = new Map<PersonalValue, UnmaskedEvent[]>();
    for (const event of events) {
      for (const value of event.personal) {
        if (value.keptDay >= event.dateSent && value.keptAt > trusted) continue;
        const bringers = fresh.get(value);
        if (bringers) bringers.push(event);
        else fresh.set(value, [event]);
      }
    }
    return fresh;
  }

  #remember(
    fresh: ReadonlyMap<PersonalValue, readonly UnmaskedEvent[]>,
    duplicates: ReadonlySet<string>,
  ): void {
    const now = this.#clock.now();
    for (const [value, bringers] of fresh) {
      for (const { id, dateSent } of bringers) {
        if (duplicates.has(id)) continue;
        if (value.keptDay < dateSent) value.keptDay = dateSent;
        value.keptAt = now;
      }
    }
  }
}
