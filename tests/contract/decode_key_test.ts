import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { decode } from "../../lib/contract/decode.ts";
import { login } from "../../lib/contract/login.ts";

const event = {
  user_id: "u-1",
  device_type: "ios",
  ip: "203.0.113.9",
  device_id: "device-9",
  locale: "de_DE",
  app_version: "1.2.3",
};

function read(more: Record<string, unknown>, dedupeField = "event_id") {
  return decode({ ...login, dedupeField }, JSON.stringify({ ...event, ...more }));
}

Deno.test("decode() returns the event's key when the contract has a field for it", () => {
  const result = read({ event_id: "e-1" });
  ok(result.kind === "event");
  strictEqual(result.key, "d:e-1");
});

Deno.test("decode() returns no key when the contract has no field for it", () => {
  const result = decode(login, JSON.stringify({ ...event, event_id: "e-1" }));
  ok(result.kind === "event");
  ok(!Object.hasOwn(result, "key"));
});

Deno.test("decode() does not count the key's field as unknown when other fields are", () => {
  const result = read({ event_id: "e-1", extra: 1, more: 2 });
  ok(result.kind === "event");
  strictEqual(result.unknownFields, 2);
});

Deno.test("decode() uses a field of the contract as the key, and counts it once", () => {
  const result = read({ extra: 1 }, "user_id");
  ok(result.kind === "event");
  deepStrictEqual([result.key, result.unknownFields], ["d:u-1", 1]);
});

for (
  const [value, reason] of [
    [undefined, "missing"],
    [null, "wrong_type"],
    ["", "too_short"],
    [0.5, "not_a_whole_number"],
  ] as const
) {
  Deno.test(`decode() rejects with ${reason} and the name of the key's field when the key is ${value}`, () => {
    deepStrictEqual(read({ event_id: value }), { kind: "rejection", reason, field: "event_id" });
  });
}

Deno.test("decode() rejects with the contract's own field when its value and the key are both wrong", () => {
  deepStrictEqual(read({ ip: "somewhere" }), {
    kind: "rejection",
    reason: "not_an_ip_address",
    field: "ip",
  });
});

for (const name of ["constructor", "toString", "__proto__"]) {
  Deno.test(`decode() rejects with missing when the key's field is ${name}, which every object inherits`, () => {
    deepStrictEqual(read({}, name), { kind: "rejection", reason: "missing", field: name });
  });
}
