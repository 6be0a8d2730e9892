import type { Contract } from "../event/contract.ts";
import { decode } from "../event/decode.ts";
import type { Masker } from "../mask/mask.ts";
import type { Message } from "../queue/queue.ts";
import type { ColumnValue, EventRow } from "../store/store.ts";

/** A message that will be set aside, and why. */
export interface Refusal {
  readonly reason: string;
  readonly field: string | null;
  readonly sqlstate: string | null;
}

/** What a message became: a masked row or a refusal. */
export type Transformed =
  | { readonly kind: "row"; readonly row: EventRow; readonly unknownFields: number }
  | { readonly kind: "refusal"; readonly refusal: Refusal };

/** Turns messages into rows by a contract: decodes, and puts masks where originals were. */
export function createTransform(
  contract: Contract,
  masker: Masker,
): (message: Message) => Promise<Transformed> {
  const personal = contract.fields.flatMap((field, index) =>
    field.personal ? [{ index, name: field.name }] : []
  );
  return async (message) => {
    const event = decode(contract, message.body);
    if (event.kind === "rejection") {
      const { reason, field } = event;
      return { kind: "refusal", refusal: { reason, field, sqlstate: null } };
    }
    const values: ColumnValue[] = [...event.values];
    await Promise.all(personal.map(async ({ index, name }) => {
      const original = values[index];
      if (typeof original === "string") values[index] = await masker.mask(name, original);
    }));
    const { key } = event;
    const row = {
      id: message.id,
      dateSent: utcDate(message.sentAt),
      values,
      ...(key === undefined ? {} : { key }),
    };
    return { kind: "row", row, unknownFields: event.unknownFields };
  };
}

/** The UTC date of a time, `YYYY-MM-DD`. */
export function utcDate(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10);
}
