import type { Parameter } from "./postgres.ts";
import type { OriginalRow } from "./store.ts";

/** Originals as the statement `keepOriginals` takes them. */
export function toOriginalParameters(originals: readonly OriginalRow[]): Parameter[] {
  // Several events may bring one value: its bytes travel once.
  const places = new Map<Uint8Array, number>();
  let end = 0;
  for (const { sealed } of originals) {
    if (places.has(sealed)) continue;
    places.set(sealed, end);
    end += sealed.length;
  }
  const bytes = new Uint8Array(end);
  for (const [sealed, place] of places) bytes.set(sealed, place);
  return [
    originals.map(({ id }) => id),
    originals.map(({ field }) => field),
    originals.map(({ mask }) => mask),
    originals.map(({ dateSent }) => dateSent),
    originals[0]?.keyId ?? null,
    // SQL counts from 1.
    originals.map(({ sealed }) => (places.get(sealed) ?? 0) + 1),
    originals.map(({ sealed }) => sealed.length),
    bytes,
  ];
}
