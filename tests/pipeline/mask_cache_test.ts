import { deepStrictEqual, notStrictEqual, ok, strictEqual } from "node:assert";
import { MaskCache } from "../../lib/pipeline/mask_cache.ts";

/** Creates a masker that counts its calls. */
function create(atLeast?: number) {
  const asked: string[] = [];
  const masker = {
    mask(field: string, canonical: string): string {
      asked.push(`${field} ${canonical}`);
      return `k1.${field}-${canonical}`;
    },
  };
  const options = atLeast === undefined ? { masker } : { masker, atLeast };
  return { asked, recent: new MaskCache(options) };
}

Deno.test("get() computes the mask of a value once when it is repeated", () => {
  const { asked, recent } = create();
  const first = recent.get("ip", "::1");
  strictEqual(first.mask, "k1.ip-::1");
  strictEqual(recent.get("ip", "::1"), first);
  deepStrictEqual(asked, ["ip ::1"]);
});

Deno.test("get() distinguishes the fields when they have the same value", () => {
  const { recent } = create();
  notStrictEqual(recent.get("ip", "x"), recent.get("device_id", "x"));
  notStrictEqual(recent.get("a", "b\0c"), recent.get("b", "a\0c"));
});

Deno.test("get() returns a new value as not known to be in the vault", () => {
  const { keptDay, keptAt } = create().recent.get("ip", "::1");
  deepStrictEqual([keptDay, keptAt], ["", 0]);
});

Deno.test("get() keeps the most recently used values when there are more than its capacity", () => {
  const { asked, recent } = create(10);
  const often = recent.get("ip", "often");
  for (let index = 0; index < 1_000; index++) {
    recent.get("ip", `value ${index}`);
    strictEqual(recent.get("ip", "often"), often);
  }
  strictEqual(asked.filter((text) => text === "ip often").length, 1);
});

Deno.test("size stays below twice the capacity when the values never repeat", () => {
  const { recent } = create(10);
  for (let index = 0; index < 1_000; index++) {
    recent.get("ip", `value ${index}`);
    ok(recent.size <= 20, `${recent.size}`);
  }
});

Deno.test("get() computes the mask again when a value was dropped", () => {
  const { asked, recent } = create(2);
  for (const value of ["a", "b", "c", "d", "e", "a"]) recent.get("ip", value);
  strictEqual(asked.filter((text) => text === "ip a").length, 2);
});
