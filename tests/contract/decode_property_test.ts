import fc from "fast-check";
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { decode } from "../../lib/contract/decode.ts";
import { login } from "../../lib/contract/login.ts";
import { reasons } from "../../lib/contract/reasons.ts";

/** Is in every value and every unknown key of a marked message. */
const MARK = "zq7";

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: "grapheme", maxLength: 300 }),
  fc.constantFrom(
    "",
    " ",
    "a".repeat(129),
    "📱".repeat(256),
    "e\u0308".repeat(300),
    "\0",
    "\ud800",
  ),
);

/** Values that often fit the contract, and often miss it narrowly. */
const nearlyValid = fc.record({
  user_id: fc.oneof({ weight: 6, arbitrary: fc.string({ minLength: 1, maxLength: 128 }) }, text),
  device_type: fc.oneof({ weight: 6, arbitrary: fc.constantFrom("ios", "android") }, text),
  ip: fc.oneof(
    { weight: 4, arbitrary: fc.ipV4() },
    { weight: 4, arbitrary: fc.ipV6() },
    text,
  ),
  device_id: fc.oneof({ weight: 3, arbitrary: fc.uuid() }, { weight: 3, arbitrary: text }),
  locale: fc.oneof({ weight: 3, arbitrary: fc.constantFrom(null, "en") }, text),
  app_version: fc.oneof(
    { weight: 6, arbitrary: fc.tuple(fc.nat(2200), fc.nat(1050)).map((parts) => parts.join(".")) },
    text,
  ),
}, { requiredKeys: ["user_id", "device_type", "ip", "device_id", "app_version"] });

/** The message with a part of its JSON text overwritten. */
const mutated = fc.tuple(nearlyValid, fc.nat(400), fc.nat(8), fc.string({ maxLength: 6 })).map(
  ([message, at, removed, added]) => {
    const body = JSON.stringify(message);
    return body.slice(0, at) + added + body.slice(at + removed);
  },
);

const anyBody = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  fc.json(),
  fc.dictionary(fc.constantFrom(...login.fields.map(({ name }) => name)), fc.jsonValue())
    .map((object) => JSON.stringify(object)),
  nearlyValid.map((message) => JSON.stringify(message)),
  mutated,
);

Deno.test("decode() returns an event or a rejection when the body is any text", () => {
  const fields: (string | null)[] = [null, ...login.fields.map(({ name }) => name)];
  fc.assert(
    fc.property(anyBody, (body) => {
      const result = decode(login, body);
      if (result.kind === "event") {
        deepStrictEqual(Object.keys(result), ["kind", "values", "unknownFields"]);
        ok(Number.isInteger(result.unknownFields) && result.unknownFields >= 0);
      } else {
        deepStrictEqual(Object.keys(result), ["kind", "reason", "field"]);
        ok(Object.hasOwn(reasons, result.reason) && fields.includes(result.field));
      }
    }),
    { numRuns: 5_000 },
  );
});

Deno.test("decode() returns the same result when it reads the same body twice", () => {
  fc.assert(
    fc.property(anyBody, (body) => deepStrictEqual(decode(login, body), decode(login, body))),
    { numRuns: 2_000 },
  );
});

/** Checks whether Postgres accepts the value in a column of this type. */
function fits(value: string | number | null | undefined, type: string): boolean {
  if (value === null) return true;
  if (type === "integer") return Number.isInteger(value) && Math.abs(Number(value)) < 2 ** 31;
  const max = Number(/^varchar\((\d+)\)$/.exec(type)?.[1]);
  if (typeof value !== "string") return false;
  return [...value].length <= max && !value.includes("\0") && value.isWellFormed();
}

Deno.test("decode() returns values that fit into their columns when it accepts a message", () => {
  let accepted = 0;
  fc.assert(
    fc.property(
      fc.oneof(nearlyValid.map((message) => JSON.stringify(message)), mutated),
      (body) => {
        const event = decode(login, body);
        if (event.kind === "rejection") return;
        accepted++;
        strictEqual(event.values.length, login.fields.length);
        for (const [index, { column }] of login.fields.entries()) {
          ok(fits(event.values[index], column.type), column.name);
        }
      },
    ),
    { numRuns: 5_000 },
  );
  ok(accepted > 1_000, `only ${accepted} messages were accepted`);
});

const marked = text.map((value) => `${MARK}${value}${MARK}`);
/** A message with some wrong value, and with the mark in everything that it contains. */
const markedBody = fc.oneof(
  marked,
  marked.map((value) => JSON.stringify(value)),
  fc.record({
    user_id: fc.oneof(marked, fc.constant([MARK]), fc.constant({ [MARK]: MARK })),
    device_type: marked,
    ip: marked,
    device_id: marked,
    locale: marked,
    app_version: marked,
    [MARK]: marked,
  }, { requiredKeys: [] }).map((message) => JSON.stringify(message)),
  marked.map((value) => `{"user_id":"${value}`),
);

Deno.test("decode() includes nothing of the payload when it returns a rejection", () => {
  fc.assert(
    fc.property(markedBody, (body) => {
      const result = decode(login, body);
      // No marked text is an address, so no marked message is an event.
      strictEqual(result.kind, "rejection");
      ok(!JSON.stringify(result).includes(MARK));
    }),
    { numRuns: 3_000 },
  );
});
