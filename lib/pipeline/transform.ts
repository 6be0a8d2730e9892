import type { Contract } from "../contract/contract.ts";
import { decode } from "../contract/decode.ts";
import type { Message } from "../queue/queue.ts";
import type { ColumnValue, EventRow } from "../store/store.ts";
import type { MaskCache, PersonalValue } from "./mask_cache.ts";

/** The reason of a rejection. */
export interface RejectionReason {
  readonly reason: string;
  readonly field: string | null;
  readonly storeCode: string | null;
}

/** The result of a transformation: a masked row or a rejection. */
export type Transformed =
  | {
    readonly kind: "row";
    readonly row: EventRow;
    /** The originals of the row's masks, for the vault only. */
    readonly personal: readonly PersonalValue[];
    readonly unknownFields: number;
  }
  | { readonly kind: "rejection"; readonly rejection: RejectionReason };

/** Creates the function that turns messages into rows. It decodes a body and masks personal fields. */
export function createTransform(
  contract: Contract,
  recent: MaskCache,
): (message: Message) => Transformed {
  const fields = contract.fields.flatMap((field, index) =>
    field.personal ? [{ index, name: field.name }] : []
  );
  return (message) => {
    const event = decode(contract, message.body);
    if (event.kind === "rejection") {
      const { reason, field } = event;
      return { kind: "rejection", rejection: { reason, field, storeCode: null } };
    }
    const values: ColumnValue[] = [...event.values];
    const personal: PersonalValue[] = [];
    for (const { index, name } of fields) {
      const original = values[index];
      if (typeof original !== "string") continue;
      const value = recent.get(name, original);
      values[index] = value.mask;
      personal.push(value);
    }
    const { key } = event;
    const row = {
      id: message.id,
      dateSent: formatUtcDate(message.sentAt),
      values,
      ...(key === undefined ? {} : { key }),
    };
    return { kind: "row", row, personal, unknownFields: event.unknownFields };
  };
}

const DAY_MS = 86_400_000;
let lastDay = NaN;
let lastDate = "";

/** Formats the UTC date of a time as `YYYY-MM-DD`. Caches the last day, which most messages share. */
export function formatUtcDate(milliseconds: number): string {
  const day = Math.floor(milliseconds / DAY_MS);
  if (day !== lastDay) {
    lastDate = new Date(milliseconds).toISOString().slice(0, 10);
    lastDay = day;
  }
  return lastDate;
}
