import { deepStrictEqual } from "node:assert";
import { splitDuplicates } from "../../lib/pipeline/committer.ts";
import type { Transformed } from "../../lib/pipeline/transform.ts";

interface Item {
  readonly id: string;
  readonly transformed: Transformed;
}

/** `a1` is message `a1` of the event `d:a`. `-1` has no key, and `!1` is a rejection. */
function itemOf(id: string): Item {
  if (id.startsWith("!")) {
    const rejection = { reason: "missing", field: null, storeCode: null };
    return { id, transformed: { kind: "rejection", rejection } };
  }
  const key = id.startsWith("-") ? {} : { key: `d:${id[0]}` };
  const row = { id, dateSent: "2026-02-03", values: [], ...key };
  return { id, transformed: { kind: "row", row, personal: [], unknownFields: 0 } };
}

function part(...ids: string[]): { firsts: string[]; repeats: string[] } {
  const { firsts, repeats } = splitDuplicates(ids.map(itemOf));
  return { firsts: firsts.map(({ id }) => id), repeats: repeats.map(({ id }) => id) };
}

Deno.test("splitDuplicates() returns all items as firsts when no key is there twice", () => {
  deepStrictEqual(part("a1", "b1", "c1"), { firsts: ["a1", "b1", "c1"], repeats: [] });
});

Deno.test("splitDuplicates() returns the earliest item of a key as first, and keeps the order", () => {
  deepStrictEqual(part("a1", "b1", "a2", "c1", "b2", "a3"), {
    firsts: ["a1", "b1", "c1"],
    repeats: ["a2", "b2", "a3"],
  });
});

Deno.test("splitDuplicates() returns all items as firsts when none has a key", () => {
  deepStrictEqual(part("-1", "!1", "-2", "!2"), { firsts: ["-1", "!1", "-2", "!2"], repeats: [] });
});

Deno.test("splitDuplicates() returns nothing when there are no items", () => {
  deepStrictEqual(part(), { firsts: [], repeats: [] });
});
