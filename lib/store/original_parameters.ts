import type { Parameter } from "./postgres.ts";
import type { OriginalRow } from "./store.ts";

/** Originals as the statement `keepOriginals` takes them. */
export function originalParameters(originals: readonly OriginalRow[]): Parameter[] {
  const sizes = originals.map(({ sealed }) => sealed.length);
  const places: number[] = [];
  let end = 0;
  for (const size of sizes) {
    places.push(end + 1);
    end += size;
  }
  const bytes = new Uint8Array(end);
  originals.forEach(({ sealed }, index) => bytes.set(sealed, (places[index] ?? 1) - 1));
  return [
    originals.map(({ id }) => id),
    originals.map(({ field }) => field),
    originals.map(({ mask }) => mask),
    originals.map(({ dateSent }) => dateSent),
    originals[0]?.keyId ?? null,
    places,
    sizes,
    bytes,
  ];
}
